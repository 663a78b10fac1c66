import { describe, expect, it } from 'vitest';
import type { DeploymentResult } from '../../../action/deploy/deployment-context.ts';
import { renderDrift } from '../../../action/deploy/render-drift.ts';
import { renderLog, renderOutcome } from '../../../action/deploy/render-log.ts';
import { HOSTILE } from '../../review/hostile.ts';
import { withoutCode } from '../../review/markdown.ts';

const RUN = 'https://github.com/octo/models/actions/runs/1';
const live: DeploymentResult = {
  endpoint: 'iris',
  environment: 'production',
  state: 'live',
  causes: ['rolling update: iris-1 → iris-2', 'answers its example: iris in 3 ms'],
  diagnostics: [],
  url: 'http://127.0.0.1:8080/serving-endpoints/iris/invocations',
  runUrl: RUN,
  pull: undefined,
};
const failed: DeploymentResult = {
  ...live,
  endpoint: 'wine',
  state: 'failed',
  causes: ['boom', 'line 2'],
  url: undefined,
};
const log = (results: readonly DeploymentResult[]) => ({ environment: 'production', results });

describe('renderLog()', () => {
  it('says first what a person can act on, and all that is known of what failed', () => {
    expect(renderOutcome(log([live, failed]))).toBe('production: 1 failed, 1 live');
    const text = renderLog(log([live, failed]), 10_000);
    expect(text.indexOf('wine')).toBeLessThan(text.indexOf('iris'));
    expect(text).toContain('```text\nboom\nline 2\n```');
    expect(text.match(/<details/g)).toHaveLength(1);
  });

  it.each(HOSTILE.map((text) => [JSON.stringify(text.slice(0, 60)), text] as const))(
    'keeps %s in its place',
    (_, text) => {
      const hostile = { ...failed, endpoint: text, causes: [text, ...text.split('\n')], url: text, runUrl: text };
      const drift = { endpoint: text, kind: 'differs', words: text, lines: [text, ...text.split('\n')] } as const;
      const rendered = [
        renderLog(log([hostile, { ...hostile, state: 'live' }]), 60_000),
        renderDrift({ environment: 'production', endpoints: [drift] }, RUN, 60_000),
      ];
      for (const one of rendered) {
        expect(one.length).toBeLessThan(60_000);
        const bare = withoutCode(one).replaceAll(/<br>|<\/?(details|summary|sub)( open)?>|\[Run\]\([^)]*\)/g, '');
        expect(bare.replaceAll(/<code>.*?<\/code>/g, '')).not.toMatch(/[<>@[\]\\$]|hostile|evil|alert/i);
        expect(one).not.toMatch(/^\s*::|##\[|\$\{\{|\p{Bidi_Control}/mv);
      }
    },
  );

  it('cuts nothing in the middle', () => {
    const many = Array.from({ length: 300 }, (_, i) => ({
      ...failed,
      endpoint: `wine-${i}`,
      causes: ['y'.repeat(300), 'z'],
    }));
    const text = renderLog(log(many), 40_000);
    expect(text.length).toBeLessThanOrEqual(40_000);
    expect(text.match(/<details/g)?.length).toBe(text.match(/<\/details>/g)?.length);
  });
});
