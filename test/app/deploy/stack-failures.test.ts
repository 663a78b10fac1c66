import { expect, test } from 'vitest';
import { makeStackDiagnostics } from '../../../app/deploy/stack-failures.ts';
import { makeOutcome } from '../../../engine/plan/outcome.ts';
import { renderRevisionFailure } from '../../../schemas/deployment/revision-failure.ts';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';

const FILE = 'endpoints/iris.yaml';
const TEXT =
  'name: iris\nconfig:\n  served_entities:\n    - {name: iris, entity_name: iris, entity_version: "1", workload_size: Small}\n';
const URN = 'urn:pulumi:iris.local::davit::davit:index:Endpoint$davit:local:Revision::iris-0123456789';

const failed = (...messages: readonly string[]) =>
  makeOutcome(
    { stack: 'iris.local', root: '/project' },
    'failed',
    messages.map((message, sequence) => ({
      sequence,
      timestamp: 0,
      diagnosticEvent: { urn: URN, message, severity: 'error', color: 'never' },
    })),
  );

test('makeStackDiagnostics() puts a model that does not start on its line', () => {
  const { endpoint } = parseEndpoint(TEXT, FILE);
  const outcome = failed(
    renderRevisionFailure({
      revision: 'iris-0123456789',
      message: 'Cannot serve "iris" (iris version 1), stage load: boom',
      hints: ['    a trace'],
    }),
  );
  expect(makeStackDiagnostics(endpoint!, 'iris.local', outcome)).toMatchObject([
    { code: 'revision-failed', file: FILE, line: 4, column: 7 },
  ]);
});

test('makeStackDiagnostics() tells an entity from one whose name only begins alike', () => {
  const two = `${TEXT}    - {name: iris-2, entity_name: iris, entity_version: "2", workload_size: Small}\n  traffic_config:\n    routes: [{served_entity_name: iris, traffic_percentage: 50}, {served_entity_name: iris-2, traffic_percentage: 50}]\n`;
  const { endpoint } = parseEndpoint(two, FILE);
  const lines = ['iris-0123456789', 'iris-2-0123456789'].map((revision) => {
    const resource = { urn: URN, type: 'davit:local:Revision', name: revision };
    const outcome = { ...failed(), failures: [{ resource, message: 'model: Cannot find it', property: 'model' }] };
    return makeStackDiagnostics(endpoint!, 'iris.local', outcome)[0]?.line;
  });
  expect(lines).toEqual([4, 5]);
});

test('makeStackDiagnostics() does not blame the model for an outage, and says it once', () => {
  const { endpoint } = parseEndpoint(TEXT, FILE);
  const message = 'Cannot start the supervisor of "local": it does not answer';
  expect(() => makeStackDiagnostics(endpoint!, 'iris.local', failed(message, message))).toThrow(
    new Error(`Cannot change "iris.local": iris-0123456789: ${message}`),
  );
});
