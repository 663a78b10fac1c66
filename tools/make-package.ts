import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import ts from 'typescript';
import { CODE_FOLDER, codePath } from '../system/code.ts';
import { runProcess } from '../system/run-process.ts';

/** What the package has of the repository: the command and the rooms that it uses, and the documents. */
const CONTENT = [
  ...['app', 'bin', 'cli', 'cluster', 'docs', 'edge', 'engine', 'images', 'infra', 'kubernetes', 'local', 'offline'],
  ...['pulumi-provider', 'python', 'review', 'runtime', 'sandbox', 'schemas', 'serving-api', 'system', 'validation'],
  '.github/workflows', // davit init makes copies of them for a GitHub Enterprise Server
  ...['LICENSE', 'README.md', 'CHANGELOG.md', 'package.json'],
];
/** Programs that only work in the repository itself. */
const LEFT_OUT = ['bin/launch.mjs', 'cli/start.ts', 'cli/stop.ts', 'cli/walk.ts'];
/** They call the others for Davit's own repository. */
const OWN_WORKFLOWS = /^\.github\/workflows\/davit-/;
/** Packages of the action, which has its own bundle. */
const ACTION_PACKAGES = /^@actions\//;
/** Packages that only users of Kubernetes need. They are three quarters of what npm would install. */
const OPTIONAL_PACKAGES = /^@(?:kubernetes|pulumi)\/(?!pulumi$)/;

/** For the import of Terraform files. Small, but one has an install script, which may fail without harm. */
const PARSERS = /tree-sitter/;

/** What `import … from 'davit'` gives. Its declarations need no other file. */
const API = 'app/public';

/** Where `styleText` leaves colours out of files; earlier versions of Node 20 would do the rest. */
const MINIMUM_NODE = '>=20.18';

/** The oldest Node that runs the package has everything of ES2023. */
const COMPILER: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
  sourceMap: true,
};

/**
 * Makes the files of Davit's npm package in `folder`: every source, and beside it the compiler's own output with its map.
 * Node does not run TypeScript below node_modules. The sources are there for the maps, for digests and for the image of
 * the authorisation service.
 */
export async function makePackage(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  for (const file of await listSources()) {
    const target = join(folder, file);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(codePath(file), target);
    if (file.endsWith('.ts')) compile(file, target);
  }
  declareTypes(join(folder, `${API}.d.ts`));
  // npm leaves a package-lock.json out of every package, and digests of the Pulumi program contain it.
  cpSync(codePath('package-lock.json'), join(folder, 'engine', 'packages.lock.json'));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(makeManifest(), null, 2)}\n`);
}

/** Makes `davit-VERSION.tgz` from the package's files, in a folder that exists. Returns its path. */
export function packPackage(folder: string, out: string): string {
  const args = ['pack', folder, '--pack-destination', out, '--json', '--ignore-scripts', '--loglevel=error'];
  const { status, stdout, stderr } = spawnSync('npm', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`Cannot pack ${folder}: ${stderr.trim()}`);
  const packed = /"filename":\s*"([^"]+)"/.exec(stdout)?.[1];
  if (packed === undefined) throw new Error(`Cannot pack ${folder}: npm pack names no file`);
  return join(out, basename(packed));
}

/** The files that Git has or would have. */
async function listSources(): Promise<readonly string[]> {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...CONTENT];
  const { code, stdout, stderr } = await runProcess('git', args, { cwd: CODE_FOLDER });
  if (code !== 0) throw new Error(`Cannot list the files of the package: ${stderr.trim()}`);
  const files = stdout
    .split('\0')
    .filter((file) => file !== '' && !LEFT_OUT.includes(file) && !OWN_WORKFLOWS.test(file));
  return files.filter((file) => statSync(codePath(file), { throwIfNoEntry: false })?.isFile() === true);
}

function compile(file: string, target: string): void {
  const fileName = basename(file);
  const { outputText, sourceMapText, diagnostics } = ts.transpileModule(readFileSync(codePath(file), 'utf8'), {
    compilerOptions: COMPILER,
    fileName,
    reportDiagnostics: true,
  });
  const [wrong] = diagnostics ?? [];
  if (wrong) throw new Error(`Cannot compile ${file}: ${ts.flattenDiagnosticMessageText(wrong.messageText, '\n')}`);
  writeFileSync(target.replace(/\.ts$/, '.js'), outputText);
  writeFileSync(target.replace(/\.ts$/, '.js.map'), sourceMapText ?? '');
  chmodSync(target, 0o644);
}

/** Joins the declarations of the files that the API exports. */
function declareTypes(target: string): void {
  const exported = readFileSync(codePath(`${API}.ts`), 'utf8').matchAll(/^export \* from '(.+)';$/gm);
  const files = [...exported].map(([, path = '']) => join(dirname(API), path));
  writeFileSync(target, files.map(declareFile).join('\n'));
}

function declareFile(file: string): string {
  const source = readFileSync(codePath(file), 'utf8');
  const { outputText, diagnostics } = ts.transpileDeclaration(source, {
    fileName: basename(file),
    reportDiagnostics: true,
  });
  const [wrong] = diagnostics ?? [];
  if (wrong) throw new Error(`Cannot declare ${file}: ${ts.flattenDiagnosticMessageText(wrong.messageText, '\n')}`);
  // TypeScript would check the sources, which stand beside the declarations.
  if (/^import /m.test(outputText)) throw new Error(`Cannot declare ${file}: its types name a type of another file`);
  return outputText;
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** The package's manifest: the repository's without what is only for development. */
function makeManifest(): object {
  const own = JSON.parse(readFileSync(codePath('package.json'), 'utf8')) as Manifest;
  const { name, version, description, license, type, bin } = own;
  const needed = Object.entries(own.dependencies).filter(([dependency]) => !ACTION_PACKAGES.test(dependency));
  const parsers = Object.entries(own.optionalDependencies).filter(([dependency]) => PARSERS.test(dependency));
  const optional = needed.filter(([dependency]) => OPTIONAL_PACKAGES.test(dependency));
  return {
    ...{ name, version, description, license, type, bin },
    // Without a key ".", which plain `pulumi` would run as the program of a Pulumi.yaml whose `main` is one of our folders.
    exports: { types: `./${API}.d.ts`, default: `./${API}.js` },
    engines: { node: MINIMUM_NODE },
    dependencies: Object.fromEntries(needed.filter(([dependency]) => !OPTIONAL_PACKAGES.test(dependency))),
    optionalDependencies: Object.fromEntries(parsers),
    peerDependencies: Object.fromEntries(optional),
    peerDependenciesMeta: Object.fromEntries(optional.map(([dependency]) => [dependency, { optional: true }])),
  };
}
