import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { Progress } from '../../system/progress.ts';
import { lockAndValidate } from './try-model.ts';

/** How a snippet ends. */
interface Snippet {
  /** The code of Davit's first error, or `not logged`, where MLflow itself refuses the snippet. Without it, it answers. */
  readonly refused?: string;
  /** `davit.served_entities.model` of the endpoint file that repairs it. Without it: the requirements that Davit's hints name. */
  readonly repair?: Readonly<Record<string, unknown>>;
  /** The snippet that this one repairs. */
  readonly repairs?: string;
}

const IRIS = { inputs: [[5.1, 3.5, 1.4, 0.2]] };

export const SNIPPETS: Readonly<Record<string, Snippet>> = {
  autologging: {},
  flavor: {},
  pyfunc: {},
  signature: {},
  'input-example': { refused: 'prediction-failed', repair: { validation: { input_data: IRIS.inputs } } },
  'pip-requirements': {},
  'conda-env': {},
  'extra-pip-requirements': { refused: 'resolution-failed' },
  'code-path': { refused: 'not logged' }, // MLflow 3 has no such parameter
  'code-paths': { repairs: 'code-path' },
};

/** The end of the name of a repaired endpoint. */
const REPAIRED = '-repaired';

/** Where a snippet, or its repaired endpoint, ends. */
export interface SnippetEnd {
  readonly snippet: string;
  /** `answers`, `not logged`, `not deployed`, or the codes of Davit's errors. */
  readonly ended: string;
  readonly isExpected: boolean;
  /** Answer, errors and warnings. */
  readonly says: readonly string[];
}

export interface DeployOptions {
  readonly root: string;
  readonly environment: string;
  readonly progress: Progress;
}

/** Deploys the snippets that were logged, those of `errors` with null. The others have their error. */
export async function deploySnippets(
  errors: Readonly<Record<string, string | null>>,
  options: DeployOptions,
): Promise<readonly SnippetEnd[]> {
  const ends: SnippetEnd[] = [];
  const proved: { readonly name: string; readonly says: readonly string[] }[] = [];
  for (const [snippet, error] of Object.entries(errors)) {
    const { refused, repair } = SNIPPETS[snippet]!;
    if (error !== null) {
      ends.push({ snippet, ended: 'not logged', isExpected: refused === 'not logged', says: [error] });
      continue;
    }
    const found = await validate({ name: snippet, snippet, davit: undefined }, options);
    if (found.codes === '') proved.push({ name: snippet, says: found.says });
    else {
      ends.push({ snippet, ended: found.codes, isExpected: found.codes === refused, says: found.says });
      const name = `${snippet}${REPAIRED}`;
      const again = await validate({ name, snippet, davit: repair ?? readRepair(found.says) }, options);
      if (again.codes === '') proved.push({ name, says: again.says });
      else ends.push({ snippet: name, ended: again.codes, isExpected: false, says: again.says });
    }
  }
  return [...ends, ...(await deployProved(proved, options))];
}

/** Reads the edits that hints name: `Add "mlflow==3.17.2" to davit.served_entities.model.requirements.add`. */
function readRepair(says: readonly string[]): Readonly<Record<string, unknown>> {
  const named = says.flatMap((text) => [
    ...text.matchAll(/"([^"]+)" to davit\.served_entities\.model\.requirements\.(add|remove)/g),
  ]);
  const list = (operation: string) => named.filter(([, , o]) => o === operation).map(([, text]) => text);
  return { requirements: { add: list('add'), remove: list('remove') } };
}

/** Counts the nine snippets that answer as they stand, and those that answer once repaired. */
export function countAnswers(ends: readonly SnippetEnd[]): { readonly asTheyStand: number; readonly repaired: number } {
  const answering = ends.filter(({ ended }) => ended === 'answers').map(({ snippet }) => snippet);
  const repaired = answering.filter((name) => name.endsWith(REPAIRED) || SNIPPETS[name]?.repairs !== undefined);
  return { asTheyStand: answering.length - repaired.length, repaired: repaired.length };
}

/** Locks and proves the endpoint of a registered model. */
async function validate(
  { name, snippet, davit }: { readonly name: string; readonly snippet: string; readonly davit: unknown },
  { root, progress }: DeployOptions,
): Promise<{ readonly codes: string; readonly says: readonly string[] }> {
  const entity = { name: 'model', entity_name: snippet, entity_version: '1' };
  const text = {
    name,
    config: { served_entities: [entity] },
    ...(davit !== undefined && { davit: { served_entities: { model: davit } } }),
  };
  await writeFile(join(root, 'endpoints', `${name}.yaml`), JSON.stringify(text, null, 2));
  progress.say(`Validating ${name}…`);
  const { signal } = new AbortController();
  const { outcome, diagnostics } = await lockAndValidate(root, name, { progress: { say: () => undefined }, signal });
  const says = diagnostics.map(renderDiagnostic);
  if (outcome !== 'refused') return { codes: '', says };
  return { codes: [...new Set(diagnostics.map((d) => d.code))].join(', '), says };
}

async function deployProved(
  proved: readonly { readonly name: string; readonly says: readonly string[] }[],
  { root, environment, progress }: DeployOptions,
): Promise<readonly SnippetEnd[]> {
  const names = proved.map(({ name }) => name);
  if (names.length === 0) return [];
  progress.say(`Deploying ${names.join(', ')} to ${environment}…`);
  const up = await runDavit(root, ['up', ...names, '--environment', environment]);
  const ends: SnippetEnd[] = [];
  for (const { name, says } of proved) {
    const query = ['query', name, '--environment', environment, '--data', JSON.stringify(IRIS)];
    const { code, output } = up.code === 0 ? await runDavit(root, query) : up;
    const ended = up.code !== 0 ? 'not deployed' : code === 0 ? 'answers' : 'no answer';
    const isExpected = code === 0 && SNIPPETS[name]?.refused === undefined;
    ends.push({ snippet: name, ended, isExpected, says: [output.trim(), ...says] });
  }
  progress.say(`Removing ${names.join(', ')}…`);
  await runDavit(root, ['down', ...names, '--environment', environment, '--yes']);
  return ends;
}

/** Runs `davit` as a user does. `output` is what it prints on stdout, or all where it fails. */
async function runDavit(
  cwd: string,
  args: readonly string[],
): Promise<{ readonly code: number; readonly output: string }> {
  const main = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');
  const child = spawn(process.execPath, [main, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (d: Buffer) => (said.stdout += String(d)));
  child.stderr.on('data', (d: Buffer) => (said.stderr += String(d)));
  const [ended] = (await once(child, 'close')) as [number | null];
  const code = ended ?? 1;
  return { code, output: code === 0 ? said.stdout : `${said.stderr}\n${said.stdout}` };
}

function renderDiagnostic({ file, line, column, severity, code, message, hint }: Diagnostic): string {
  return `${file}:${line}:${column} ${severity} ${code} ${message}${hint === undefined ? '' : `\n    ${hint}`}`;
}
