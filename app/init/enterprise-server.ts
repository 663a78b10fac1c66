import { readFile } from 'node:fs/promises';
import { codePath } from '../../system/code.ts';
import { DOCUMENTED_DIGEST, DOCUMENTED_RELEASE } from './documented-files.ts';

const FOLDER = '.github/workflows';
const CALLED = `${FOLDER}/davit-called-`;
/** A call of one of Davit's workflows in the documented files. */
const CALL = /OWNER\/davit\/\.github\/workflows\/([a-z-]+)\.yaml@0{40} # v\S+/g;
const CALLED_COPY = /uses: \.\/\.github\/workflows\/davit-called-([a-z-]+)\.yaml/g;
/** It reads an artifact of another run, which artifacts v3 cannot. */
const FORK_REPORT = `${FOLDER}/davit-fork-report.yaml`;

/** Newer versions of these actions refuse to run on a GitHub Enterprise Server. The old ones have their own storage. */
const ARTIFACT_ACTIONS = [
  [/actions\/upload-artifact@\S+ # v\S+/g, 'actions/upload-artifact@c6a366c94c3e0affe28c06c8df20a878f24da3cf # v3.2.2'],
  [
    /actions\/download-artifact@\S+ # v\S+/g,
    'actions/download-artifact@a9bc5e6ef2cb54c177f32aa5726adaa15e7e2d59 # v3.1.0',
  ],
] as const;

/** Lines and steps that a GitHub Enterprise Server does not know. */
const UNKNOWN_LINES = [
  /^ +queue: max.*\n/gm, // a newer run then replaces a waiting one, and deploys its merges too
  /^ +attestations: write.*\n/gm,
  /^ +compression-level: .*\n/gm,
  /^ +pattern: (?:davit-|fetched-).*\n/gm, // v3 downloads all artifacts of the run, each into its own folder
  /^ {6}- name: Attest the images\n(?: {8}.*\n)+/gm,
] as const;

/**
 * The documented files for a GitHub Enterprise Server: the user's workflows call copies of Davit's in the same repository,
 * because the server knows neither `$/` nor some other words of these.
 */
export async function adaptToEnterpriseServer(
  documented: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, string>> {
  const callers = [...documented]
    .filter(([path]) => path !== FORK_REPORT)
    .map(([path, text]) => [path, path.startsWith(FOLDER) ? callCopies(removeUnknown(text)) : text] as const);
  const called = new Set(callers.flatMap(([, text]) => [...text.matchAll(CALLED_COPY)].map(([, name = '']) => name)));
  const copies = [...called].map(async (name) => {
    const text = await readFile(codePath(FOLDER, `${name}.yaml`), 'utf8');
    return [calledPath(name), makeCopy(text)] as const;
  });
  return new Map([...callers, ...(await Promise.all(copies))]);
}

/** Whether a file is such a copy. It is the same for every project of a repository. */
export function isCalledWorkflow(path: string): boolean {
  return path.startsWith(CALLED);
}

function calledPath(name: string): string {
  return `${CALLED}${name}.yaml`;
}

function callCopies(text: string): string {
  return text.replaceAll(CALL, (_, name: string) => `./${calledPath(name)}`);
}

function makeCopy(text: string): string {
  const named = removeUnknown(text).replaceAll(
    '$/action',
    `${DOCUMENTED_RELEASE}/action@${DOCUMENTED_DIGEST} # v1.0.0`,
  );
  return ARTIFACT_ACTIONS.reduce((t, [newer, old]) => t.replaceAll(newer, old), named);
}

function removeUnknown(text: string): string {
  return UNKNOWN_LINES.reduce((t, lines) => t.replaceAll(lines, ''), text);
}
