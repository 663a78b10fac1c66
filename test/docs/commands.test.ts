import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hasErrors } from '../../schemas/diagnostic.ts';
import { CHEAP_VERBS, OF_OTHERS, OUTPUT, PLACEHOLDERS, RUN_ELSEWHERE, RUN_FOR_REAL } from './covered-commands.ts';
import { makeDocumentedProject } from './documented-project.ts';
import { CODE_PAGES, INDENTED, listDocuments, listLines } from './documents.ts';
import { describeKind, type ParsedCommand, parseCommand } from './parse-command.ts';
import { splitCommands } from './shell-words.ts';

const CODE = join(import.meta.dirname, '..', '..');
const SHELLS = ['sh', 'bash', 'console', 'shell', INDENTED];

const documents = listDocuments();
const lines = documents
  .filter(({ file }) => !file.startsWith(CODE_PAGES))
  .flatMap(({ blocks }) => blocks.filter(({ language }) => SHELLS.includes(language)))
  .flatMap((block) => listLines(block).map(({ text, line }) => ({ text, where: `${block.file}:${line}` })))
  .filter(({ text }) => !OUTPUT.some((pattern) => pattern.test(text)));
const commands = lines.flatMap(({ text, where }) => splitCommands(text).map((command) => ({ ...command, where })));
const isDavit = ({ text }: { readonly text: string }) => /^(?:sudo )?npx davit /.test(text);
const own = [...new Map(commands.filter(isDavit).map((c) => [c.text, c])).values()];
const isRunForReal = (text: string) =>
  RUN_FOR_REAL.flat().some((run) => splitCommands(run.replaceAll('\n', ';')).some((c) => c.text === text));

/** The commands with their verbs; `--version` and `--help` have none. */
const parsed: readonly { readonly text: string; readonly where: string; readonly command: ParsedCommand }[] =
  await Promise.all(
    own
      .filter(({ words }) => !words.at(-1)?.startsWith('--version'))
      .map(async ({ text, where, words }) => ({ text, where, command: await parseCommand(words) })),
  );

test('the documents have commands, and every command of Davit in them is run by a test', () => {
  expect(parsed.length).toBeGreaterThan(40);
  const missing = parsed.filter(({ text, command }) => {
    const kind = describeKind(command);
    return !isRunForReal(text) && !CHEAP_VERBS.includes(command.verb) && RUN_ELSEWHERE[kind] === undefined;
  });
  expect(missing.map(({ where, command }) => `${where} ${describeKind(command)}`)).toEqual([]);
});

test('the lists name no command that is in no document, and no test that does not exist', () => {
  const kinds = new Set(parsed.map(({ command }) => describeKind(command)));
  expect(Object.keys(RUN_ELSEWHERE).filter((kind) => !kinds.has(kind))).toEqual([]);
  const tests = Object.values(RUN_ELSEWHERE);
  expect(tests.filter(([file, text]) => !readFileSync(join(CODE, file), 'utf8').includes(text))).toEqual([]);
  const written = new Set(commands.map(({ text }) => text));
  const run = RUN_FOR_REAL.flat().flatMap((text) => splitCommands(text.replaceAll('\n', ';')));
  expect(run.map(({ text }) => text).filter((text) => !written.has(text))).toEqual([]);
});

test('every command of another program is run, or has one reason why it is not', () => {
  const others = commands.filter((c) => !isDavit(c) && !c.text.startsWith('curl -s ') && !isRunForReal(c.text));
  const reasons = others.map(({ text, where }) => ({
    text,
    where,
    count: OF_OTHERS.filter(([pattern]) => pattern.test(text)).length,
  }));
  expect(reasons.filter(({ count }) => count !== 1)).toEqual([]);
  const unused = OF_OTHERS.filter(([pattern]) => !others.some(({ text }) => pattern.test(text)));
  expect(unused).toEqual([]);
});

test('npm install names the versions of package.json', () => {
  const { dependencies } = JSON.parse(readFileSync(join(CODE, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const named = commands.flatMap(({ words }) => (words[0] === 'npm' ? words : [])).filter((w) => /.@\d/.test(w));
  expect(named.length).toBeGreaterThan(2);
  for (const word of named) {
    const [, name = '', version] = /^(.+)@([^@]+)$/.exec(word) ?? [];
    expect([name, dependencies[name]]).toEqual([name, version]);
  }
});

/** `npx davit explain CODE`, `davit up`: in running text, and on the pages of the codes. */
const mentioned = documents.flatMap(({ file, spans, blocks }) => {
  const pages = file.startsWith(CODE_PAGES) ? blocks : [];
  const shown = pages.flatMap((b) =>
    b.language === 'sh' || b.text.startsWith('$ ') ? (b.text.split('\n')[0] ?? '') : [],
  );
  return [...spans, ...shown].map((text) => ({ file, text: text.replace(/^\$ /, '') }));
});

test('every mentioned command can be typed', async () => {
  const typed = mentioned.filter(
    ({ text }) => /^(?:[A-Z_]+=\S+ )?(?:npx )?davit [a-z]/.test(text) && !text.includes('…'),
  );
  const problems = typed.map(async ({ file, text }) => {
    const [command] = splitCommands(text);
    const isNameOnly = (command?.words ?? []).slice(command?.words.indexOf('davit')).length === 2;
    const problem = await parseCommand(command?.words ?? []).then(() => undefined, String);
    return problem === undefined || (isNameOnly && problem.includes('without arguments'))
      ? []
      : [`${file} ${text}: ${problem}`];
  });
  expect(typed.length).toBeGreaterThan(50);
  expect((await Promise.all(problems)).flat()).toEqual([]);
});

test('every cheap command does what it says, in the project of the documents', { timeout: 180_000 }, async () => {
  const project = await makeDocumentedProject();
  const cheap = own.filter(({ words }) => CHEAP_VERBS.includes(words[words.indexOf('davit') + 1] ?? ''));
  for (const { text, words } of cheap) {
    const command = await parseCommand(
      words.map((word) => Object.entries(PLACEHOLDERS).reduce((w, [from, to]) => w.replace(from, to), word)),
    );
    if (RUN_ELSEWHERE[describeKind(command)] !== undefined) continue;
    const { diagnostics, failed = false } = await project.run(command);
    const errors = hasErrors(diagnostics) ? diagnostics : [];
    expect({ text, failed, errors }).toEqual({ text, failed: false, errors: [] });
  }
});
