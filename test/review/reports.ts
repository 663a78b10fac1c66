import { makeFingerprint } from '../../review/fingerprint.ts';
import type {
  ChangedPath,
  EndpointReport,
  EntityReport,
  PreviewReport,
  PullRequest,
  Report,
} from '../../schemas/report/report.ts';
import type { DiagnosticCode } from '../../schemas/diagnostic-codes.ts';

type Plan = NonNullable<PreviewReport['plan']>;
type Resource = Plan['resources'][number];
type Stage = 'fetch' | 'check' | 'lock' | 'virtualenv' | 'proof';

const STAGES: readonly Stage[] = ['fetch', 'check', 'lock', 'virtualenv', 'proof'];

export function makeReport(endpoints: readonly EndpointReport[], more: Partial<Report> = {}): Report {
  return {
    report_version: 3,
    base: '3f9c2a71d08be10c44f7a5d2c6b91e0f7a3d4c5b',
    head: '8be10c44f7a5d2c6b91e0f7a3d4c5b3f9c2a71d0',
    program: null,
    stages: [
      { stage: 'validate', result: 'success', why: null },
      { stage: 'preview', result: 'success', why: null },
    ],
    pull_request: null,
    environments: ['local'],
    diagnostics: [],
    endpoints,
    ...more,
  };
}

/** An endpoint that was changed, proved and previewed, unless `more` says otherwise. */
export function makeEndpoint(endpoint: string, more: Partial<EndpointReport> = {}): EndpointReport {
  return {
    endpoint,
    change: 'changed',
    because: [path(`endpoints/${endpoint}.yaml`), path(`endpoints/${endpoint}.lock`)],
    lock: 'up-to-date',
    computed_lock: null,
    diagnostics: [],
    entities: [proved(`${endpoint}-2`)],
    previews: [rolling(endpoint)],
    outage: null,
    ...more,
  };
}

export const PULL_REQUEST: PullRequest = {
  number: 7,
  fork: false,
  destroy: false,
  locks_commit: null,
  base_moved_to: null,
  run_url: 'https://github.example/o/r/actions/runs/1',
};

/** The preview with a fingerprint that tells of it. */
export function fingerprinted(preview: PreviewReport): PreviewReport {
  const fingerprint = makeFingerprint({
    lock: { lock_version: 1, endpoint: preview.environment, entities: {}, virtualenvs: {} },
    program: 'a'.repeat(64),
    resources: Object.fromEntries((preview.plan?.resources ?? []).map((r) => [r.urn, 'b'.repeat(64)])),
  });
  return { ...preview, fingerprint };
}

export function path(name: string, change: ChangedPath['change'] = 'modified'): ChangedPath {
  return { path: name, change };
}

const ANSWER = '{"predictions": ["setosa", "versicolor", "virginica"]}';

export function proved(entity: string, cached = false): EntityReport {
  return {
    entity,
    model: entity.replace(/-(?=\d+$)/, ' '),
    stages: STAGES.map((name, i) => ({ name, seconds: [0, 0.12, 0, 4.3, 3.1][i] ?? 0, cached: cached || i === 0 })),
    proof: {
      python: '3.11.7',
      mlflow: '2.9.2',
      sandboxed: true,
      sandboxLacks: [],
      cases: [{ origin: 'example', name: '', answer: ANSWER, failure: null }],
      peakMemoryBytes: 412 * 2 ** 20,
      workers: cached
        ? { mode: 'shared', found: [], count: 4, memoryBytes: 300 * 2 ** 20 }
        : { mode: 'separate', found: ['2 threads', '1 open file'], count: 4, memoryBytes: 1200 * 2 ** 20 },
    },
  };
}

/** An endpoint that stops at a stage of its validation. */
export function failing(endpoint: string, stage: Stage, code: DiagnosticCode, message: string, hint: string) {
  const stages = STAGES.slice(0, STAGES.indexOf(stage) + 1).map((name) => ({ name, seconds: 0.1, cached: false }));
  const diagnostics = [
    { code, severity: 'error' as const, file: `endpoints/${endpoint}.yaml`, line: 4, column: 7, message, hint },
  ];
  const entities = [{ entity: `${endpoint}-2`, model: `${endpoint} 2`, stages, proof: null }];
  return makeEndpoint(endpoint, { diagnostics, entities, previews: [] });
}

export function makePlan(
  stack: string,
  verdict: Omit<Plan['verdict'], 'notes'> & Partial<Pick<Plan['verdict'], 'notes'>>,
  resources: readonly (Pick<Resource, 'type' | 'name' | 'operation'> & Partial<Resource>)[],
): Plan {
  const count = (operation: Resource['operation']) => resources.filter((r) => r.operation === operation).length;
  return {
    stack,
    resources: resources.map((r) => ({
      urn: `urn:pulumi:${stack}::davit::${r.type}::${r.name}`,
      differences: [],
      ...r,
    })),
    counts: {
      create: count('create'),
      update: count('update'),
      replace: count('replace'),
      delete: count('delete'),
      same: count('same'),
    },
    verdict: { notes: [], ...verdict },
  };
}

const REVISION = 'davit:local:Revision';
const ROUTE = 'davit:local:Route';

export function rolling(endpoint: string, environment = 'local'): PreviewReport {
  const [before, after] = [`${endpoint}-1-8be10c44f7`, `${endpoint}-2-3f9c2a71d0`];
  const plan = makePlan(
    `${endpoint}.${environment}`,
    { kind: 'rolling-update', words: `rolling update: ${before} → ${after}` },
    [
      { type: REVISION, name: after, operation: 'create' },
      {
        type: ROUTE,
        name: endpoint,
        operation: 'update',
        differences: [
          { path: 'entities[0].revision', change: 'update', replaces: false, old: before, new: after },
          { path: 'entities[0].name', change: 'update', replaces: false, old: `${endpoint}-1`, new: `${endpoint}-2` },
        ],
      },
      { type: REVISION, name: before, operation: 'delete' },
    ],
  );
  return { environment, plan, outage: null, fingerprint: null };
}

export function unchanged(endpoint: string, environment = 'local'): PreviewReport {
  const plan = makePlan(`${endpoint}.${environment}`, { kind: 'no-change', words: 'no change' }, [
    { type: REVISION, name: `${endpoint}-2-3f9c2a71d0`, operation: 'same' },
  ]);
  return { environment, plan, outage: null, fingerprint: null };
}

export function created(endpoint: string, environment = 'local'): PreviewReport {
  const revision = `${endpoint}-1-8be10c44f7`;
  const plan = makePlan(`${endpoint}.${environment}`, { kind: 'create', words: `create: ${revision}` }, [
    { type: REVISION, name: revision, operation: 'create' },
    { type: ROUTE, name: endpoint, operation: 'create' },
  ]);
  return { environment, plan, outage: null, fingerprint: null };
}

export function deleted(endpoint: string, environment = 'local'): PreviewReport {
  const revision = `${endpoint}-1-8be10c44f7`;
  const plan = makePlan(`${endpoint}.${environment}`, { kind: 'delete', words: `delete: ${revision}` }, [
    { type: ROUTE, name: endpoint, operation: 'delete' },
    { type: REVISION, name: revision, operation: 'delete' },
  ]);
  return { environment, plan, outage: null, fingerprint: null };
}
