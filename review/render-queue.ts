import { pluralize } from '../schemas/values/pluralize.ts';
import { renderSpan } from './render-code.ts';

/** An endpoint that a merge queue would merge, and why that is not what was reviewed; no cause: it is. */
export interface QueuedEndpoint {
  readonly endpoint: string;
  readonly causes: readonly string[];
}

export interface QueueCheck {
  readonly conclusion: 'success' | 'failure';
  readonly title: string;
  /** Markdown. */
  readonly summary: string;
}

const SHOWN_ENDPOINTS = 50;
const SHOWN_CAUSES = 5;
const CAUSE_CHARACTERS = 300;
const NAME_CHARACTERS = 63;
const NEXT =
  'The base branch, or a pull request in front in the queue, has other files than those that were reviewed. Update the branch of the pull request: its run reviews the result. Then add it to the queue again.';

/** The check of a merge queue's group: whether what it would merge is what was reviewed. `refused`: errors of files. */
export function renderQueueCheck(endpoints: readonly QueuedEndpoint[], refused: readonly string[]): QueueCheck {
  const wrong = endpoints.filter(({ causes }) => causes.length > 0);
  if (wrong.length === 0 && refused.length === 0)
    return {
      conclusion: 'success',
      title: endpoints.length === 0 ? 'No endpoint changes' : `${pluralize(endpoints.length, 'endpoint')} as reviewed`,
      summary:
        'The files of this group are those that the pull requests were reviewed with. Nothing was validated or previewed again.',
    };
  const lines = wrong.slice(0, SHOWN_ENDPOINTS).map(({ endpoint, causes }) => {
    const shown = causes.slice(0, SHOWN_CAUSES).map((cause) => renderSpan(cause, CAUSE_CHARACTERS));
    return `- ${renderSpan(endpoint, NAME_CHARACTERS)}: ${shown.join(', ')}`;
  });
  const more = wrong.length > lines.length ? [`- and ${wrong.length - lines.length} more`] : [];
  const others = refused.map((message) => `- ${renderSpan(message, CAUSE_CHARACTERS)}`);
  return {
    conclusion: 'failure',
    title:
      wrong.length === 0
        ? pluralize(refused.length, 'error')
        : `${wrong.length} of ${pluralize(endpoints.length, 'endpoint')} not as reviewed`,
    summary: [[...lines, ...more, ...others].join('\n'), ...(wrong.length > 0 ? [NEXT] : [])].join('\n\n'),
  };
}
