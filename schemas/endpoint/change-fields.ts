import { z } from 'zod';

/** How a change of an endpoint is made, and why it may break clients: a text that a comment can quote. */
export const changeFields = {
  rollout: z
    .enum(['rolling', 'recreate'])
    .optional()
    .describe('recreate: stops the old version before it starts the new one, with downtime; default rolling'),
  breaking: z
    .string()
    .regex(/^(?=.*\S)[^\p{Cc}\p{Zl}\p{Zp}]{1,500}$/u, 'expected a reason on one line, of at most 500 characters')
    .optional()
    .describe(
      'Why this change may break clients; a review shows the reason and accepts it for one pull request; default: it must not break them',
    ),
};
