import type { Explanation } from './explanation.ts';

/** Codes about a new version against the one that the base branch declares. */
export const COMPARISON_CODES = {
  'signature-breaking': {
    stage: 'check',
    means:
      'Requests that clients send today would fail with the new version, or its answers would lack what clients read: an input is added and required, MLflow refuses or alters the values of another type, an output or a parameter is gone. The review compares with the version that the base branch declares. For an entity without traffic it is a warning.',
    example: {
      code: {
        language: 'yaml',
        text: '- entity_name: iris\n  entity_version: "3"  # its signature has the new required column petal_area',
      },
      command: 'davit review',
      says: 'endpoints/iris.yaml:5:23 error signature-breaking Cannot replace iris 2 by iris 3 for today\'s clients: input "petal_area" ("double") is added and required, expected a signature that fits their requests and the answers that they read',
    },
    repair: [
      'By what you want:',
      '- clients must not notice: log the model with the old signature, for example with the new column as optional',
      '- clients change when they are ready: serve the new version as another endpoint, such as `iris-v2`',
      '- clients have changed already: write the reason in `davit.breaking`. The review shows it, and accepts it for this pull request only',
    ].join('\n'),
  },
  'predictions-changed': {
    stage: 'predict',
    means:
      'Both versions have predicted the same inputs, and more rows differ than `policy.max_changed` of an environment allows. The limit counts for the inputs of both versions together, and for those of the base branch alone. It is also read from the base branch, so a pull request cannot raise it for itself.',
    example: {
      code: {
        language: 'yaml',
        text: '- entity_name: iris\n  entity_version: "3"  # environments/production.yaml has policy: { max_changed: 5% }',
      },
      command: 'davit review',
      says: 'endpoints/iris.yaml:5:23 error predictions-changed Cannot replace iris 2 by iris 3: 12 of 20 predictions differ (60%), expected at most 5%',
    },
    repair:
      'Read the rows that changed most in the review. If they are right, raise `max_changed` of the environment in a pull request of its own. If numbers differ only in their last digits, set `policy.prediction_tolerance`.',
  },
  'predictions-not-compared': {
    stage: 'predict',
    means:
      'An environment limits the predictions that a new version may change (`policy.max_changed`), and the review could not compare any. For example, no input has an answer of both versions, or the old version no longer runs. Where the files of the base branch are wrong, it is a warning without such a limit. A registry or a package index that does not respond is an outage instead, and the review has to run again.',
    example: {
      code: {
        language: 'yaml',
        text: '- entity_name: iris\n  entity_version: "3"  # environments/production.yaml has policy: { max_changed: 5% }',
      },
      command: 'davit review',
      says: 'endpoints/iris.yaml:5:23 error predictions-not-compared Cannot compare iris 3 with iris 2: there is no prediction of both versions for any input, expected predictions of which at most 5% differ',
    },
    repair: [
      'By what the message says:',
      '- no input, or none that both versions answer: add a case to `davit.served_entities.NAME.validation`',
      '- the new version fails: fix it as the message says',
      '- the old version no longer runs, or both need the network: check the new version in another way, and set `max_changed` of the environment to 100% in a pull request of its own',
    ].join('\n'),
  },
} as const satisfies Readonly<Record<string, Explanation>>;
