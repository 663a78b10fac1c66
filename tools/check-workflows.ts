// Runs actionlint and zizmor on our workflows and actions, and on the repository that docs/pull-requests.md describes; actionlint
// also on that repository as it is on a GitHub Enterprise Server.
import { cp, glob, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { codePath } from '../system/code.ts';
import { runProcess } from '../system/run-process.ts';
import { DOCUMENTED_DIGEST, DOCUMENTED_RELEASE, readDocumentedFiles } from '../app/init/documented-files.ts';
import { adaptToEnterpriseServer } from '../app/init/enterprise-server.ts';
import { ensureCheckProgram } from './check-programs.ts';
import { ensureGoProgram } from './workflow-programs.ts';

/**
 * Syntax that actionlint 1.7.12 does not know yet: https://github.com/rhysd/actionlint/issues/711, and GitHub's
 * `queue`.
 */
const UNKNOWN = [
  [/(?<=uses: )\$\//g, './'],
  [/^ +queue: max.*\n/gm, ''],
  [new RegExp(`(?<=uses: )${DOCUMENTED_RELEASE}/(.*)@${DOCUMENTED_DIGEST}`, 'g'), './$1'],
] as const;

const folder = await mkdtemp(join(tmpdir(), 'davit-workflows-'));
try {
  const documented = await readDocumentedFiles();
  const [ours, users, enterprise, asWritten] = await Promise.all([
    copyWorkflows('ours', new Map()),
    copyWorkflows('users', documented),
    copyWorkflows('enterprise', await adaptToEnterpriseServer(documented)),
    write(join(folder, 'as-written'), documented),
  ]);
  const actionlint = await ensureGoProgram('actionlint', { progress: { say } });
  await check(actionlint, [], ours);
  await check(actionlint, [], users);
  await check(actionlint, [], enterprise);
  const audit = ['--offline', '--quiet', '--persona', 'auditor'];
  await check(await ensureCheckProgram('zizmor'), [...audit, codePath(), asWritten], codePath());
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Copies our workflows, adds more files, and replaces the syntax that actionlint does not know. */
async function copyWorkflows(name: string, more: ReadonlyMap<string, string>): Promise<string> {
  const root = join(folder, name);
  await mkdir(join(root, '.git'), { recursive: true }); // actionlint recognises a repository by this
  for (const part of ['.github', 'action']) await cp(codePath(part), join(root, part), { recursive: true });
  await write(root, more);
  for await (const file of glob('.github/workflows/*.yaml', { cwd: root })) {
    const text = await readFile(join(root, file), 'utf8');
    const known = UNKNOWN.reduce((t, [unknown, word]) => t.replaceAll(unknown, word), text);
    await writeFile(join(root, file), known);
  }
  return root;
}

async function write(root: string, files: ReadonlyMap<string, string>): Promise<string> {
  for (const [path, content] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}

async function check(program: string, args: readonly string[], cwd: string): Promise<void> {
  const { code, stdout, stderr } = await runProcess(program, args, { cwd });
  if (code === 0) return;
  process.exitCode = 1;
  say(`${stdout}${stderr}`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
