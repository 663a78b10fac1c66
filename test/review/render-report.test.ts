import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMENT_CHARACTERS, renderReport } from '../../review/render-report.ts';
import { concludeReview, renderSummaryLine } from '../../review/review-state.ts';
import { type EndpointReport, parseReport, type Report } from '../../schemas/report/report.ts';
import { COMPARISON, makeComparison } from './comparisons.ts';
import { HOSTILE } from './hostile.ts';
import { withoutCode } from './markdown.ts';
import {
  PULL_REQUEST,
  created,
  deleted,
  failing,
  makeEndpoint,
  makePlan,
  makeReport,
  path,
  proved,
  rolling,
  unchanged,
} from './reports.ts';

const GOLDEN = join(import.meta.dirname, 'golden');

const ALL_WELL = makeReport([
  makeEndpoint('ranker'),
  makeEndpoint('iris', {
    change: 'added',
    because: [path('endpoints/iris.yaml', 'added')],
    previews: [created('iris')],
  }),
  makeEndpoint('fraud', {
    change: 'affected',
    because: [path('models/fraud/2')],
    entities: [proved('fraud-2', true)],
    previews: [unchanged('fraud')],
  }),
]);

const EACH_STAGE = makeReport(
  [
    makeEndpoint('a-file', {
      lock: 'unknown',
      entities: [],
      previews: [],
      diagnostics: [
        {
          code: 'bad-value',
          severity: 'error',
          file: 'endpoints/a-file.yaml',
          line: 6,
          column: 22,
          message:
            'Cannot accept "Tiny" for "config.served_entities[0].workload_size": expected one of "Small", "Medium", "Large"',
        },
        {
          code: 'requirement-unpinned',
          severity: 'warning',
          file: 'endpoints/a-file.yaml',
          line: 2,
          column: 1,
          message: 'Cannot tell which pandas the model needs: "pandas" has no exact version',
          hint: 'The lock pins it',
        },
      ],
    }),
    {
      ...failing('b-fetch', 'fetch', 'model-not-found', 'Cannot find the model b-fetch 2', 'Put it in models/'),
      lock: 'unknown',
    },
    {
      ...failing(
        'c-check',
        'check',
        'signature-missing',
        'Cannot prove c-check 2: it has no signature',
        'Log it again',
      ),
      lock: 'unknown',
    },
    {
      ...failing(
        'd-lock',
        'lock',
        'lock-stale',
        'Cannot use the lock for "d-lock-2": the model changed',
        'npx davit lock',
      ),
      lock: 'stale',
    },
    failing('e-virtualenv', 'virtualenv', 'install-failed', 'Cannot install numpy 1.26.4', 'Ask who runs the index'),
    failing(
      'f-proof',
      'proof',
      'prediction-failed',
      'Cannot predict with f-proof 2: KeyError: "age"',
      'See the example',
    ),
    makeEndpoint('g-preview', {
      previews: [
        {
          environment: 'local',
          plan: null,
          outage: 'Cannot change "g-preview.local": someone else is at it',
          fingerprint: null,
        },
      ],
    }),
    makeEndpoint('h-outage', { entities: [], previews: [], lock: 'unknown', outage: 'Cannot start "uv": ENOENT' }),
  ],
  {
    diagnostics: [
      {
        code: 'name-mismatch',
        severity: 'error',
        file: 'environments/staging.yaml',
        line: 1,
        column: 7,
        message: 'Cannot accept "stage" as the name in environments/staging.yaml: expected "staging"',
        hint: 'Rename the file or the environment',
      },
    ],
  },
);

const SPLIT_PLAN = makePlan('iris.production', { kind: 'update-in-place', words: 'update in place: iris (entities)' }, [
  {
    type: 'davit:local:Route',
    name: 'iris',
    operation: 'update',
    differences: [
      { path: 'entities[0].trafficPercentage', change: 'update', replaces: false, old: 100, new: 90 },
      { path: 'entities[1]', change: 'add', replaces: false, new: { name: 'challenger', trafficPercentage: 10 } },
    ],
  },
]);

const SPLIT = makeReport(
  [
    makeEndpoint('iris', {
      entities: [proved('champion', true), proved('challenger')],
      previews: [
        rolling('iris', 'staging'),
        { environment: 'production', plan: SPLIT_PLAN, outage: null, fingerprint: null },
      ],
    }),
  ],
  { environments: ['staging', 'production'] },
);

const KNATIVE = 'kubernetes:serving.knative.dev/v1';
const [OLD, NEW] = ['iris-1-8be10c44f7', 'iris-2-3f9c2a71d0'];
const entry = (revision: string) =>
  JSON.stringify({ endpoint: 'iris', entities: [{ name: 'iris', revision }] }, null, 2);
const differs = (path: string, old: unknown, fresh: unknown) => ({
  ...{ path, change: 'update' as const, replaces: false, old, new: fresh },
});
const KUBERNETES = makeReport(
  [
    makeEndpoint('iris', {
      previews: [
        {
          environment: 'production',
          plan: makePlan(
            'iris.production',
            {
              kind: 'rolling-update',
              words: `rolling update: ${OLD} → ${NEW}`,
              notes: [
                'builds registry.example/models/iris:3f9c2a71d0e4-8be10c44f7a5',
                'needs 1 nvidia.com/gpu (nvidia.com/gpu.product=Tesla-T4) more than is free while both versions run',
              ],
            },
            [
              { type: `${KNATIVE}:Configuration`, name: NEW, operation: 'create' },
              { type: `${KNATIVE}:RevisionPatch`, name: `${NEW}-bounds`, operation: 'create' },
              {
                ...{ type: `${KNATIVE}:Route`, name: 'iris', operation: 'update' },
                differences: [differs('spec.traffic[0].revisionName', 'iris-1-r', 'iris-2-r')],
              },
              {
                ...{ type: 'kubernetes:core/v1:ConfigMap', name: 'iris-entry', operation: 'update' },
                differences: [differs('data["endpoint.json"]', entry('iris-1-r'), entry('iris-2-r'))],
              },
              { type: `${KNATIVE}:RevisionPatch`, name: `${OLD}-bounds`, operation: 'delete' },
              { type: `${KNATIVE}:Configuration`, name: OLD, operation: 'delete' },
            ],
          ),
          outage: null,
          fingerprint: null,
        },
      ],
    }),
  ],
  { environments: ['production'] },
);

const gone = { change: 'removed', lock: 'unknown', entities: [] } as const;
const REMOVAL = makeReport([
  makeEndpoint('iris', { ...gone, because: [path('endpoints/iris.yaml', 'deleted')], previews: [deleted('iris')] }),
  makeEndpoint('never', {
    ...gone,
    because: [path('endpoints/never.yaml', 'deleted')],
    previews: [unchanged('never')],
  }),
]);

const FORTY = makeReport(
  Array.from({ length: 40 }, (_, i) => {
    const name = `endpoint-${String(i + 1).padStart(2, '0')}`;
    if (i % 10 === 3)
      return failing(
        name,
        'proof',
        'load-failed',
        `Cannot load ${name} 2: ${'it does not say why; '.repeat(20)}`,
        'Log it again',
      );
    return makeEndpoint(name, { previews: [i % 2 ? rolling(name) : unchanged(name)] });
  }),
);

const LONG = makeReport([
  makeEndpoint('ranker', {
    previews: [
      {
        environment: 'local',
        plan: makePlan(
          'ranker.local',
          { kind: 'rolling-update', words: 'rolling update: adds ranker-2' },
          Array.from({ length: 200 }, (_, i) => ({
            type: 'davit:local:Route',
            name: `ranker-${i}`,
            operation: 'update' as const,
            differences: Array.from({ length: 4 }, (_, j) => ({
              path: `environment.VARIABLE_${j}`,
              change: 'update' as const,
              replaces: false,
              old: 'before '.repeat(5),
              new: 'after '.repeat(6),
            })),
          })),
        ),
        outage: null,
        fingerprint: null,
      },
    ],
  }),
  makeEndpoint('iris'),
]);

/** An endpoint in which every text that can come from a file or a model is the one given. */
function hostileEndpoint(text: string): EndpointReport {
  const plan = makePlan(text, { kind: 'rolling-update', words: text, notes: [text, text] }, [
    { type: text, name: text, operation: 'create' },
    {
      type: `a:b:${text}`,
      name: text,
      operation: 'update',
      differences: [
        { path: text, change: 'update', replaces: false, old: text, new: { [text]: [text] } },
        { path: `- ${text}`, change: 'add', replaces: true, new: text },
      ],
    },
  ]);
  const diagnostic = { code: 'bad-value', file: text, line: 1, column: 1, message: text, hint: text } as const;
  return makeEndpoint(text, {
    change: 'affected',
    because: [path(text), path(`environments/${text}`)],
    computed_lock: 'a'.repeat(64),
    lock: 'missing',
    diagnostics: [{ ...diagnostic, severity: 'warning' }],
    entities: [
      {
        entity: text,
        model: text,
        stages: [{ name: 'proof', seconds: 1, cached: false }],
        proof: {
          ...{ python: text, mlflow: text, sandboxed: false, sandboxLacks: [], peakMemoryBytes: 1 },
          cases: [{ origin: 'endpoint', name: text, answer: text, failure: null }],
          workers: { mode: 'separate', found: [text], count: 4, memoryBytes: 4 },
        },
        comparison: makeComparison(text),
      },
      {
        entity: text,
        model: text,
        stages: [],
        proof: null,
        comparison: { ...makeComparison(text), predictions: null },
      },
    ],
    previews: [
      { environment: text, plan, outage: null, fingerprint: { digest: text, parts: { [text]: text } } },
      { environment: text, plan: null, outage: text, fingerprint: null },
    ],
  });
}

/** What crosses between jobs has a fingerprint that is one. */
function withoutFingerprints(endpoint: EndpointReport): EndpointReport {
  return { ...endpoint, previews: endpoint.previews.map((p) => ({ ...p, fingerprint: null })) };
}

function hostileReport(text: string): Report {
  const wrong = failing('x', 'lock', 'bad-value', text, text);
  const diagnostics = wrong.diagnostics.map((d) => ({ ...d, file: text }));
  const outage = makeEndpoint(text, { outage: text, previews: [], computed_lock: 'a'.repeat(64), lock: 'committed' });
  return makeReport([hostileEndpoint(text), { ...wrong, diagnostics }, outage], {
    base: text,
    head: text,
    program: { digest: text, commit: text, environments: 'base' },
    stages: [
      { stage: 'validate', result: 'success', why: text },
      { stage: 'preview', result: 'unreadable', why: text },
    ],
    pull_request: { ...PULL_REQUEST, locks_commit: text, base_moved_to: text },
    environments: [text],
    diagnostics,
  });
}

const COMPARED = makeReport([
  makeEndpoint('iris', { entities: [{ ...proved('iris-2'), comparison: COMPARISON }] }),
  makeEndpoint('fraud', {
    entities: [
      {
        ...proved('fraud-2'),
        comparison: {
          ...COMPARISON,
          ...{ model: 'fraud 1', signature: [], card: [], predictions: null },
          note: 'fraud 1 cannot predict the inputs: Cannot install numpy 1.19.5: it was withdrawn',
          packages: { ...COMPARISON.packages, changes: [], advisories: null, bytes: null },
        },
      },
    ],
  }),
]);

const HOSTILE_ALL = makeReport(HOSTILE.map(hostileEndpoint), { environments: [HOSTILE[0], HOSTILE[3]] });

const GOLDEN_REPORTS: Readonly<Record<string, Report>> = {
  'all-well': ALL_WELL,
  'each-stage': EACH_STAGE,
  'traffic-split': SPLIT,
  kubernetes: KUBERNETES,
  removal: REMOVAL,
  'forty-endpoints': FORTY,
  compared: COMPARED,
  'long-plan': LONG,
  hostile: makeReport(
    HOSTILE.slice(0, 9).map((text) => withoutFingerprints(hostileEndpoint(text))),
    { environments: [HOSTILE[0]] },
  ),
  nothing: makeReport([]),
};

describe('renderReport()', () => {
  for (const [name, report] of Object.entries(GOLDEN_REPORTS))
    it(`renders ${name}`, async () => {
      await expect(renderReport(report)).toMatchFileSnapshot(join(GOLDEN, `${name}.md`));
    });

  it('is the same when the report has crossed between jobs as JSON', () => {
    for (const report of Object.values(GOLDEN_REPORTS))
      expect(renderReport(parseReport(JSON.stringify(report)))).toBe(renderReport(report));
  });

  it.each([
    ['long texts', LONG],
    ['forty endpoints', FORTY],
    ['each stage', EACH_STAGE],
    ['comparisons', makeReport(Array.from({ length: 60 }, () => COMPARED.endpoints).flat())],
    ['hostile texts', HOSTILE_ALL],
    ['3000 endpoints', makeReport(Array.from({ length: 3000 }, (_, i) => makeEndpoint(`endpoint-${i}`)))],
    ['forty endpoints and hostile texts', makeReport([...FORTY.endpoints, ...HOSTILE_ALL.endpoints])],
  ])('fits into a comment, in whole parts: %s', (_, report) => {
    for (const limit of [COMMENT_CHARACTERS, 30_000, 12_000, 5_000]) {
      const rendered = renderReport(report, limit);
      expect(rendered.length).toBeLessThanOrEqual(limit);
      const bare = withoutCode(rendered); // throws when code is not closed
      expect(bare.match(/<details/g)?.length).toBe(bare.match(/<\/details>/g)?.length);
    }
  });

  it('shortens what matters least first, and says so', () => {
    const rendered = renderReport(FORTY, 13_000);
    expect(rendered).toContain('_Shortened to fit');
    expect(rendered).toContain('<details open><summary><code>endpoint-04</code>: fails</summary>');
    expect(rendered).not.toContain('<summary><code>endpoint-01</code>: no change</summary>');
    expect(rendered).toContain('| ✅ | `endpoint-01` |');
    expect(renderReport(ALL_WELL)).not.toContain('_Shortened');
  });

  it('counts the rows that do not fit', () => {
    const many = makeReport(Array.from({ length: 3000 }, (_, i) => makeEndpoint(`endpoint-${i}`)));
    const rendered = renderReport(many);
    const rows = rendered.match(/^\| ✅ /gm)?.length ?? 0;
    expect(rendered).toContain(`and ${3000 - rows} more: ${3000 - rows} rolling`);
  });

  it.each(HOSTILE.map((text) => [JSON.stringify(text.slice(0, 60)), text] as const))(
    'keeps %s in its place',
    (_, text) => {
      const rendered = renderReport(hostileReport(text));
      const bare = withoutCode(rendered);
      expect(bare).not.toMatch(/hostile|evil|alert|`/i);
      expect(
        bare.replaceAll(
          /<\/?(details|summary|sub|br)( open)?>|<!-- davit:report v1 -->|\[[\w ]+\]\(https:\/\/github\.example\/[\w/]+\)/g,
          '',
        ),
      ).not.toMatch(/[<>@[\]\\$]/);
      const [first, ...tables] = (bare.match(/(?:^\|.*\n)+/gm) ?? []).map(
        (table) =>
        table.trimEnd().split('\n').map((row) => row.split('|').length), // prettier-ignore
      );
      expect(first).toEqual([8, 8, 8, 8, 8]);
      for (const columns of tables) expect(new Set(columns).size).toBe(1);
      expect(rendered).not.toMatch(/^\s*::|##\[|\$\{\{|\p{Bidi_Control}|[\p{Cc}--\n]/mv);
      expect(rendered.isWellFormed()).toBe(true);
      expect(rendered.length).toBeLessThanOrEqual(COMMENT_CHARACTERS);
    },
  );
});

it('shows an endpoint that waits for its model as a state of its own, which stops the merge and no other endpoint', () => {
  const waits = failing('a', 'fetch', 'model-pending', 'Cannot fetch iris 4: iris has no version 4', 'Wait');
  const report = makeReport([waits, makeEndpoint('b')]);
  expect(renderSummaryLine(report)).toBe('2 endpoints: 1 waiting for the model, 1 rolling');
  expect(concludeReview(report)).toBe('failure');
  const [row] = renderReport(report, COMMENT_CHARACTERS)
    .split('\n')
    .filter((line) => line.startsWith('| ⏳'));
  expect(row).toContain('waiting for the model: ');
});

describe('renderSummaryLine()', () => {
  it('says what a person can act on', () => {
    const fails = failing('a', 'lock', 'lock-stale', 'x', 'y');
    expect(
      renderSummaryLine(makeReport([fails, makeEndpoint('b'), makeEndpoint('c', { previews: [unchanged('c')] })])),
    ).toBe('3 endpoints: 1 fails, 1 rolling, 1 no change');
    expect(renderSummaryLine(makeReport([fails, fails]))).toBe('2 endpoints: 2 fail');
    expect(renderSummaryLine(EACH_STAGE)).toBe('8 endpoints: 6 fail, 2 not reviewed; 1 error in other files');
  });
});
