import { expect, test } from 'vitest';
import { makeRandom, mutate } from '../../helpers/mutate-text.ts';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';

/** How many mutations are checked. `DAVIT_FUZZ=100000` takes some minutes. */
const MUTATIONS = Number(process.env['DAVIT_FUZZ'] ?? 500);
const SEED = Number(process.env['DAVIT_FUZZ_SEED'] ?? 1);
/** Of processor time, because other programs share the machine. */
const MAX_MILLISECONDS = 1000;

const VALID = [
  `name: iris
description: flowers
tags: [{ key: team, value: vision }]
config:
  served_entities:
    - &one
      name: champion
      entity_name: main.ml.iris
      entity_version: "1"
      workload_size: Small
      scale_to_zero_enabled: true
      environment_vars: { A: "{{secrets/a/b}}", B: plain }
    - name: challenger
      entity_name: main.ml.iris
      entity_version: 2
      min_provisioned_concurrency: 4
      max_provisioned_concurrency: 8
  traffic_config:
    routes:
      - { served_entity_name: champion, traffic_percentage: 90 }
      - { served_model_name: challenger, traffic_percentage: "10" }
ai_gateway:
  rate_limits: [{ calls: 100, key: user, renewal_period: minute }]
davit:
  permissions: [{ group_name: users, permission_level: CAN_QUERY }]
  served_entities:
    champion: { nan: null, workers: one, requirements: { add: [a==1] } }
`,
  `name: iris
config:
  served_models:
    - { model_name: iris, model_version: "1", workload_type: CPU }
  auto_capture_config: { enabled: false }
`,
  '{"name": "iris", "config": {"served_entities": [{"entity_name": "iris", "entity_version": "3"}]}, "rate_limits": []}',
];
function checkOne(text: string): void {
  const before = process.cpuUsage();
  const { diagnostics, endpoint } = parseEndpoint(text, 'endpoints/iris.yaml');
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(MAX_MILLISECONDS);
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  for (const { line, column, message } of diagnostics) {
    expect(message).toMatch(/^(?:Cannot|Found) /);
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines.length);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(column).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1);
  }
  expect(endpoint === undefined).toBe(diagnostics.some((d) => d.severity === 'error'));
}

test(
  'a changed endpoint file never crashes the check, takes no second, and every error has a place in the file',
  () => {
    const random = makeRandom(SEED);
    for (const text of VALID) expect(parseEndpoint(text, 'endpoints/iris.yaml').endpoint).toBeDefined();
    for (let i = 0; i < MUTATIONS; i++) {
      let text = VALID[random(VALID.length)] ?? '';
      for (let changes = 1 + random(4); changes > 0; changes--) text = mutate(text, random);
      try {
        checkOne(text);
      } catch (e) {
        throw new Error(`Mutation ${i} of seed ${SEED}:\n${text}`, { cause: e });
      }
    }
  },
  Math.max(60_000, MUTATIONS * 50),
);
