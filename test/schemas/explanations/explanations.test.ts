import { describe, expect, it, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { type DiagnosticCode, DIAGNOSTIC_CODES } from '../../../schemas/diagnostic-codes.ts';
import { renderDiagnostic } from '../../../schemas/diagnostic.ts';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';
import { parseEnvironment } from '../../../schemas/environment/environment.ts';
import { type Explanation, type Stage, STAGES } from '../../../schemas/explanations/explanation.ts';
import { EXPLANATIONS } from '../../../schemas/explanations/explanations.ts';
import { GOOD_MODEL } from '../../../schemas/explanations/model-codes.ts';
import { renderGuide, renderStage } from '../../../schemas/explanations/render-page.ts';
import { STAGE_GUIDES } from '../../../schemas/explanations/stages.ts';
import { checkExample } from '../../validation/check-example.ts';

const ALL = Object.entries(EXPLANATIONS) as [DiagnosticCode, Explanation][];
const WITH_FILES = ALL.filter(([, { example }]) => example.files !== undefined);

test('every code has an explanation', () => {
  expect(Object.keys(EXPLANATIONS).sort()).toEqual(Object.keys(DIAGNOSTIC_CODES).sort());
});

describe.each(WITH_FILES)('the example of %s', (code, { example: { files = {}, says }, changes = [] }) => {
  it('gives that code, with the line on its page', async () => {
    const found = (await checkExample(files)).find((d) => d.code === code);
    expect(found && renderDiagnostic(found).split('\n')[0]).toBe(says);
  });

  it.runIf(changes.length > 0)('is repaired by the change on its page', async () => {
    const repaired: Record<string, string> = { ...files };
    for (const [file, from, to] of changes) {
      expect(repaired[file]?.split(from)).toHaveLength(2);
      repaired[file] = repaired[file]!.replace(from, to);
    }
    expect((await checkExample(repaired)).map((d) => d.code)).not.toContain(code);
  });
});

test('codes without an example of files are those that no file shows', () => {
  const others = ALL.filter(([, { example }]) => example.files === undefined);
  expect(others.every(([, { example }]) => example.code !== undefined && example.says !== '')).toBe(true);
});

const DIGEST = `sha256:${'0'.repeat(64)}`;
const IMAGES = {
  registry: 'ghcr.io/acme/models',
  bases: { 3.11: `python@${DIGEST}` },
  node: `node@${DIGEST}`,
  envoy: `envoy@${DIGEST}`,
};
const MODEL = { name: 'iris-2', entity_name: 'iris', entity_version: '2' };

/** Completes a part of a file, which begins with its first field, to what the schema checks. */
function checkPart(text: string): readonly string[] {
  const part = parse(text) as Readonly<Record<string, object>>;
  if (Array.isArray(part)) return checkPart(stringify({ name: 'iris', config: { served_entities: part } }));
  if ('images' in part) {
    const file = { name: 'production', target: 'kubernetes', images: { ...IMAGES, ...part['images'] } };
    return parseEnvironment(stringify(file), 'environments/production.yaml').diagnostics.map(renderDiagnostic);
  }
  const file = 'name' in part ? part : { name: 'iris', config: { served_entities: [MODEL] }, ...part };
  return parseEndpoint(stringify(file), 'endpoints/iris.yaml').diagnostics.map(renderDiagnostic);
}

test('the schemas accept the YAML of the other examples', () => {
  const texts = ALL.flatMap(([, { example }]) => (example.code?.language === 'yaml' ? [example.code.text] : []));
  const own = texts.filter((text) => !text.startsWith('# python_env.yaml'));
  expect(own.length).toBeGreaterThan(3);
  expect(own.flatMap(checkPart)).toEqual([]);
});

/** What public guides about debugging model serving name as failures, and the section that must have a way out. */
const KNOWN_FAILURES: readonly (readonly [Stage, RegExp])[] = [
  ['fetch', /credentials/],
  ['lock', /index cannot be reached/],
  ['virtualenv', /no wheel/],
  ['proof', /calls a service/],
  ['image', /build takes longer/],
  ['image', /registry does not have/],
  ['schedule', /no GPU is free when it scales up from zero/],
  ['schedule', /Insufficient/],
  ['schedule', /cannot be pulled/],
  ['load', /OOMKilled/],
  ['load', /CUDA out of memory/],
  ['load', /restarted and fails to load/],
  ['load', /deployment time/],
  ['predict', /longer than `time_limit_seconds`/],
  ['predict', /first request after a pause/],
  ['predict', /429/],
  ['predict', /16 MiB/],
  ['route', /401 or 403/],
  ['route', /Revert/],
];

test.each(KNOWN_FAILURES)('the guide has a way out at %s of %s', (stage, failure) => {
  expect(renderStage(stage)).toMatch(failure);
});

test('every stage has commands and failures in the guide, and every page names an existing stage', () => {
  for (const stage of STAGES) {
    const { look, failures } = STAGE_GUIDES[stage];
    expect([look.length > 0, failures.length > 0]).toEqual([true, true]);
    expect(renderGuide()).toContain(`\n## ${stage}\n`);
  }
});

test('the model of the examples is right', async () => {
  const files = {
    'endpoints/iris.yaml': EXPLANATIONS['lock-missing'].example.files!['endpoints/iris.yaml']!,
    ...GOOD_MODEL,
  };
  expect((await checkExample(files)).map((d) => d.code)).toEqual(['lock-missing']);
});
