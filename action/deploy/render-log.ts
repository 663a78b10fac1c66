import { renderBlock, renderHtmlCode, renderLine } from '../../review/render-code.ts';
import { renderRolloutLine, renderRollouts } from '../../review/render-rollouts.ts';
import { type DeploymentResult, needsAttention } from './deployment-context.ts';

/** The results of one run in one environment. */
export interface DeploymentLog {
  readonly environment: string;
  readonly results: readonly DeploymentResult[];
  /** Why nothing could begin. */
  readonly outage?: unknown;
}

const LINES = 60;
const LINE_CHARACTERS = 400;

/** `production: 1 failed, 1 live` */
export function renderOutcome({ environment, results }: DeploymentLog): string {
  return `${environment}: ${renderRolloutLine(results)}`;
}

/** For places with more room than a comment: the table, then all causes of failed endpoints. */
export function renderLog({ environment, results }: DeploymentLog, limit: number): string {
  const parts = [renderRollouts(results, limit, environment)];
  let left = limit - (parts[0]?.length ?? 0);
  for (const block of results.filter((r) => needsAttention(r) && r.causes.length > 1).map(renderCauses)) {
    left -= block.length + 2;
    if (left < 0) break; // the table has its first lines
    parts.push(block);
  }
  return parts.join('\n\n');
}

function renderCauses({ endpoint, causes }: DeploymentResult): string {
  const shown = causes.slice(0, LINES).map((line) => renderLine(line, LINE_CHARACTERS));
  const cut = causes.length > LINES ? [`… and ${causes.length - LINES} more lines`] : [];
  const block = renderBlock([...shown, ...cut], 'text');
  return `<details open>\n<summary>${renderHtmlCode(endpoint)}</summary>\n\n${block}\n\n</details>`;
}
