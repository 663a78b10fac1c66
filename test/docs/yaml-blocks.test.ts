import { expect, test } from 'vitest';
import { parse, parseDocument, stringify } from 'yaml';
import { renderDiagnostic } from '../../schemas/diagnostic.ts';
import { parseEndpoint } from '../../schemas/endpoint/parse-endpoint.ts';
import { parseEnvironment } from '../../schemas/environment/environment.ts';
import { type Block, CODE_PAGES, listDocuments } from './documents.ts';

/** YAML of other programs, by a field at its top. */
const OF_OTHERS: readonly (readonly [field: string, what: string])[] = [
  ['jobs', 'a workflow of GitHub'],
  ['with', 'a part of a workflow of GitHub'],
  ['runs', 'an action of GitHub'],
  ['kind', 'an object of Kubernetes'],
  ['runtime', 'a project of Pulumi'],
];
/** A list of a workflow's steps. */
const STEPS = ['run', 'uses'];

const blocks = listDocuments()
  .filter(({ file }) => !file.startsWith(CODE_PAGES)) // their examples are wrong on purpose, and tested with their codes
  .flatMap((document) => document.blocks)
  .filter(({ language }) => ['yaml', 'yml'].includes(language));

/** The entities that a part of a file speaks of. */
function makeEntities(part: Readonly<Record<string, unknown>>) {
  const davit = part['davit'] as { readonly served_entities?: object } | undefined;
  const names = Object.keys(davit?.served_entities ?? { iris: {} });
  return names.map((name) => ({ name, entity_name: 'iris', entity_version: '2' }));
}

/** Completes a part of an endpoint or environment file and checks it. Undefined: it is neither. */
function check({ file, line, text }: Block): readonly string[] | undefined {
  const content = text.replaceAll('sha256:…', `sha256:${'0'.repeat(64)}`);
  const document = parseDocument(content);
  if (document.errors.length > 0) return document.errors.map((e) => `${file}:${line}: ${e.message}`);
  const value: unknown = parse(content);
  if (Array.isArray(value))
    return value.every((step) => STEPS.some((key) => key in (step as object)))
      ? undefined
      : [`${file}:${line}: a list`];
  const part = value as Readonly<Record<string, unknown>>;
  if (OF_OTHERS.some(([field]) => field in part)) return undefined;
  if ('target' in part) {
    const { name } = part as { readonly name: string };
    return parseEnvironment(content, `environments/${name}.yaml`).diagnostics.map(renderDiagnostic);
  }
  const config = { served_entities: makeEntities(part) };
  const { config: given = config } = part;
  const whole = { name: 'iris', ...part, config: given };
  return parseEndpoint(stringify(whole), `endpoints/${whole.name}.yaml`).diagnostics.map(renderDiagnostic);
}

test('every endpoint and environment in the documents is right, and the rest is YAML of another program', () => {
  expect(blocks.length).toBeGreaterThan(15);
  const checked = blocks.map(check);
  expect(checked.flatMap((found) => found ?? [])).toEqual([]);
  expect(checked.filter((found) => found !== undefined).length).toBeGreaterThan(8);
});

test('a wrong example is found', () => {
  const wrong = (text: string) => check({ file: 'a.md', line: 1, language: 'yaml', text });
  expect(wrong('davit: { rollouts: rolling }')?.[0]).toContain('unknown-field');
  expect(wrong('name: local\ntarget: local\ngateway: { prt: 1 }')?.[0]).toContain('unknown-field');
  expect(wrong('a: [')?.[0]).toContain('a.md:1');
});
