import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMENT_CHARACTERS, REPORT_MARKER, renderReport } from '../../review/render-report.ts';
import { insertRollouts, renderRolloutLine, renderRollouts } from '../../review/render-rollouts.ts';
import type { Rollout } from '../../schemas/deployment/rollout.ts';
import { HOSTILE } from './hostile.ts';
import { withoutCode } from './markdown.ts';
import { makeEndpoint, makeReport } from './reports.ts';

const GOLDEN = join(import.meta.dirname, 'golden');
const RUN = 'https://github.example/o/r/actions/runs/2';

function rollout(endpoint: string, more: Partial<Rollout> = {}): Rollout {
  return { endpoint, environment: 'production', state: 'live', causes: [], url: undefined, runUrl: RUN, ...more };
}

const SOME = [
  rollout('iris', { environment: 'staging', url: 'https://models.example/serving-endpoints/iris/invocations' }),
  rollout('iris', { state: 'deploying' }),
  rollout('ranker', {
    state: 'failed',
    causes: ['ranker-2 does not become ready: 0/4 nodes have nvidia.com/gpu free', 'See npx davit logs ranker --build'],
  }),
  rollout('fraud', { state: 'stopped', causes: ['the lock differs', 'Revision fraud-2-3f9c2a71d0 is new'] }),
  rollout('old', { state: 'removed' }),
  rollout('last', { state: 'waiting', runUrl: undefined }),
];

describe('renderRollouts()', () => {
  it('renders what became of a merge, failures first', async () => {
    await expect(`${renderRollouts(SOME)}\n`).toMatchFileSnapshot(join(GOLDEN, 'rollouts.md'));
    expect(renderRolloutLine(SOME)).toBe('1 failed, 1 stopped, 1 deploying, 1 waiting, 1 live, 1 removed');
    expect(renderRolloutLine([])).toBe('nothing to deploy');
  });

  it('says of a failed removal what is true, also for one that a later run keeps in the comment', () => {
    const failed = rollout('iris', { state: 'failed', isRemoval: true, causes: ['ENOTEMPTY'] });
    const row = /^\| ❌ \| `iris` \| `production` \| \*\*failed\*\*, the removal may be incomplete .*`ENOTEMPTY` \|$/m;
    expect(renderRollouts([failed])).toMatch(row);
    expect(renderRollouts([failed])).not.toContain('serving');
    const later = insertRollouts(insertRollouts('', 'production', [failed]), 'production', [rollout('owl')]);
    expect(later).toMatch(row);
    expect(later).toContain('### production: 1 failed, 1 live\n');
    const cancelled = renderRollouts([rollout('iris', { state: 'cancelled', isRemoval: true })]);
    expect(cancelled).not.toContain('serving');
  });

  it('tells less of each before it leaves any out', () => {
    const failed = Array.from({ length: 40 }, (_, i) =>
      rollout(`e-${i}`, { state: 'failed', causes: ['because '.repeat(40)] }),
    );
    const some = renderRollouts(failed, 12_000);
    expect(some.length).toBeLessThanOrEqual(12_000);
    expect(some.match(/^\| ❌ /gm)).toHaveLength(40);
    const few = renderRollouts([...failed, ...SOME], 2_000);
    expect(few.length).toBeLessThanOrEqual(2_000);
    expect(few).toMatch(/and \d+ more: \d+ failed, 1 stopped, 1 deploying, 1 waiting, 1 live, 1 removed$/);
  });

  it.each(HOSTILE.map((text) => [JSON.stringify(text.slice(0, 60)), text] as const))(
    'keeps %s in its place',
    (_, text) => {
      const hostile: Rollout = {
        endpoint: text,
        environment: text,
        state: 'failed',
        causes: [text, text],
        url: text,
        runUrl: text,
      };
      const rendered = insertRollouts('', 'production', [hostile, { ...hostile, state: 'live' }]);
      const bare = withoutCode(rendered);
      expect(bare.replaceAll(/<br>|<!-- davit:rollouts (end|production) -->/g, '')).not.toMatch(
        /[<>@[\]\\$]|hostile|evil|alert/i,
      );
      expect(
        bare
          .split('\n')
          .filter((l) => l.startsWith('|'))
          .map((row) => row.split('|').length),
      ).toEqual([6, 6, 6, 6]);
      expect(rendered).not.toMatch(/^\s*::|##\[|\$\{\{|\p{Bidi_Control}/mv);
    },
  );
});

describe('insertRollouts()', () => {
  const report = renderReport(makeReport([makeEndpoint('iris')]));

  it('puts them above the report, and the next ones in their place', () => {
    const first = insertRollouts(report, 'production', SOME.slice(1, 3));
    const open = '<!-- davit:rollouts production -->';
    expect(first.startsWith(`${REPORT_MARKER}\n${open}\n\n### production: 1 failed, 1 deploying\n`)).toBe(true);
    expect(first).toContain(report.slice(REPORT_MARKER.length + 1));
    const second = insertRollouts(first, 'production', SOME);
    expect(second).toBe(insertRollouts(report, 'production', SOME));
    expect(second.match(/### production/g)).toHaveLength(1);
    const bare = report.slice(REPORT_MARKER.length + 1);
    const twice = insertRollouts(insertRollouts(bare, 'production', SOME.slice(0, 1)), 'production', SOME);
    expect(twice).toBe(insertRollouts(bare, 'production', SOME));
  });

  it('keeps what earlier runs have said about other endpoints of the environment', () => {
    const both = insertRollouts(report, 'production', [rollout('iris', { state: 'failed' }), rollout('owl')]);
    const again = insertRollouts(both, 'production', [rollout('iris', { causes: ['rolling update'] })]);
    expect(again).toContain('### production: 2 live\n');
    expect(again.match(/^\| ✅ \| `(iris|owl)` \| `production` \| live/gm)).toHaveLength(2);
    expect(insertRollouts(again, 'production', [rollout('iris', { causes: ['rolling update'] })])).toBe(again);
    const forged = again.replace(/^\| ✅ \| `owl`.*$/m, '| ✅ | `owl` | `production` | anything |');
    expect(insertRollouts(forged, 'production', [rollout('iris')])).not.toContain('anything');
  });

  it('keeps those of every environment, in the order of the first ones', () => {
    const staging = insertRollouts(report, 'staging', SOME.slice(0, 1));
    const both = insertRollouts(staging, 'production', SOME.slice(1));
    const again = insertRollouts(both, 'staging', SOME.slice(0, 1));
    expect(again).toBe(both);
    expect(both.match(/^### .*$/gm)?.slice(0, 2)).toEqual([
      '### staging: 1 live',
      '### production: 1 failed, 1 stopped, 1 deploying, 1 waiting, 1 removed',
    ]);
    expect(both).toContain(report.slice(REPORT_MARKER.length + 1).trimEnd());
  });

  it('is not led astray by who writes its marks into a name, a cause or the comment', () => {
    const cause = 'x\n<!-- davit:rollouts end -->\n\nAll is well';
    const failed = rollout('iris', { state: 'failed', causes: [cause] });
    const once = insertRollouts(report, 'production', [failed]);
    expect(insertRollouts(once, 'production', SOME)).toBe(insertRollouts(report, 'production', SOME));
    const edited = `${REPORT_MARKER}\n<!-- davit:rollouts production -->\n\nEverything is fine`;
    expect(insertRollouts(edited, 'production', SOME)).not.toContain('Everything is fine');
  });

  it('fits whatever was there before', () => {
    const long = renderReport(makeReport(Array.from({ length: 900 }, (_, i) => makeEndpoint(`e-${i}`))));
    const many = Array.from({ length: 500 }, (_, i) =>
      rollout(`e-${i}`, { state: 'failed', causes: ['x'.repeat(900)] }),
    );
    let placed = insertRollouts(long, 'production', many);
    expect(placed).toContain(long.slice(REPORT_MARKER.length + 1).trimEnd());
    for (let i = 0; i < 12; i++) {
      placed = insertRollouts(placed, `environment-${i}`, many);
      expect(placed.length).toBeLessThanOrEqual(COMMENT_CHARACTERS);
      expect(placed).toContain(`### environment-${i}: 500 failed`);
    }
    for (const filler of [65_536, 65_000, 64_000]) {
      const full = insertRollouts(`${REPORT_MARKER}\n${'y'.repeat(filler)}`, 'production', many);
      expect(full.length).toBeLessThanOrEqual(COMMENT_CHARACTERS);
      expect(full).toContain('### production: 500 failed');
    }
  });
});
