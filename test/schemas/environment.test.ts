import { describe, expect, it } from 'vitest';
import { checkAgainstEnvironment, parseEnvironment } from '../../schemas/environment.ts';
import { parseEndpoint } from '../../schemas/parse-endpoint.ts';

const FILE = 'environments/local.yaml';

describe('parseEnvironment()', () => {
  it('completes the smallest environment with every default', () => {
    expect(parseEnvironment('name: local\ntarget: local\n', FILE)).toEqual({
      environment: {
        name: 'local',
        file: FILE,
        target: 'local',
        gateway: { port: undefined },
        autoscaling: { idleSeconds: 1800, scaleDownSeconds: 300 },
      },
      diagnostics: [],
    });
  });

  it.each([
    ['another name than its file', 'name: staging\ntarget: local\n', '1:7 name-mismatch'],
    ['a port that does not exist', 'name: local\ntarget: local\ngateway: {port: 70000}\n', '3:17 bad-value'],
    ['an idle time of nothing', 'name: local\ntarget: local\nautoscaling: {idle_seconds: 0}\n', '3:29 bad-value'],
    ['an unknown target', 'name: local\ntarget: moon\n', '2:9 bad-value'],
    ['a field of an endpoint', 'name: local\ntarget: local\nconfig: {}\n', '3:1 unknown-field'],
  ])('refuses %s', (_what, text, wanted) => {
    const { environment, diagnostics } = parseEnvironment(text, FILE);
    expect(environment).toBeUndefined();
    expect(diagnostics.map((d) => `${d.line}:${d.column} ${d.code}`)).toEqual([wanted]);
  });
});

describe('checkAgainstEnvironment()', () => {
  it('refuses hardware that the environment does not have, on the entity', () => {
    const text =
      'name: a\nconfig:\n  served_entities:\n    - {entity_name: a, entity_version: "1", workload_type: GPU_SMALL}\n';
    const { endpoint } = parseEndpoint(text, 'endpoints/a.yaml');
    const { environment } = parseEnvironment('name: local\ntarget: local\n', FILE);
    expect(checkAgainstEnvironment(endpoint!, environment!)).toMatchObject([
      { code: 'unavailable-workload-type', file: 'endpoints/a.yaml', line: 4, column: 7 },
    ]);
  });
});
