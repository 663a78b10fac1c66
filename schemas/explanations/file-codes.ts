import { type Explanation, makeIrisFile } from './explanation.ts';

const IRIS = 'endpoints/iris.yaml';

/** Codes about the text of a file. */
export const FILE_CODES = {
  'unreadable-file': {
    stage: 'check',
    means:
      'The path leads to no file, to a folder where a file is expected, or to a file that your user may not read. Nothing of it was checked.',
    example: {
      code: { language: 'sh', text: 'npx davit check endpoints/irsi.yaml' },
      command: 'davit check endpoints/irsi.yaml',
      says: 'endpoints/irsi.yaml:1:1 error unreadable-file Cannot read endpoints/irsi.yaml: there is no such file or folder',
    },
    repair:
      'Correct the path; `ls -l PATH` shows whether the file exists and who may read it. A symbolic link that leads to itself must be replaced by a file.',
    check: 'davit check endpoints/iris.yaml',
  },
  'bad-yaml': {
    stage: 'check',
    means:
      'The text cannot be read as YAML 1.2, so no field of it was checked. Common causes are an open quote, a tab as indentation, a list item that is indented differently from its neighbours, a key that is written twice, and a value that begins with a special character such as `{{`, `*` or `@` without quotes.',
    example: {
      files: { [IRIS]: 'name: iris\ndescription: "Species of an iris\nconfig: {}\n' },
      command: 'davit check',
      says: 'endpoints/iris.yaml:2:14 error bad-yaml Cannot read YAML: the quotation mark is not closed',
    },
    repair:
      'Correct the YAML at the printed place, or at the line above it: quote the value, close the quotation mark or bracket that the message names, indent with spaces.',
    changes: [[IRIS, '"Species of an iris', '"Species of an iris"']],
  },
  'unknown-field': {
    stage: 'check',
    means:
      'The name of the field is not one that the file can have at this place. Davit ignores no field, because an ignored one would change nothing and nobody would notice.',
    example: {
      files: { [IRIS]: makeIrisFile(['workload_sise: Small']) },
      command: 'davit check',
      says: 'endpoints/iris.yaml:6:7 error unknown-field Cannot accept "workload_sise" in "config.served_entities[0]": there is no such field',
    },
    repair:
      'Correct the spelling, or move the field to the place that the hint names. Settings that only Davit has belong under `davit`. `npx davit show NAME` prints every field with its value.',
    changes: [[IRIS, 'workload_sise', 'workload_size']],
  },
  'missing-field': {
    stage: 'check',
    means: 'A field that has no default is absent. The message names it with its whole path.',
    example: {
      files: { [IRIS]: 'name: iris\nconfig:\n  served_entities:\n    - entity_name: iris\n' },
      command: 'davit check',
      says: 'endpoints/iris.yaml:4:7 error missing-field Cannot find "config.served_entities[0].entity_version": expected a string',
    },
    repair:
      'Add the field. A field that is indented too far, or not far enough, also counts as missing where it belongs.',
    changes: [[IRIS, '- entity_name: iris\n', '- entity_name: iris\n      entity_version: "2"\n']],
  },
  'wrong-type': {
    stage: 'check',
    means:
      'The value is of another kind than the field: a number where a string is expected, a single value where a list is expected. YAML reads `1.10` as the number 1.1 and `no` as a string, so quotes matter.',
    example: {
      files: { [IRIS]: makeIrisFile(['scale_to_zero_enabled: "true"']) },
      command: 'davit check',
      says: 'endpoints/iris.yaml:6:30 error wrong-type Cannot accept "true" for "config.served_entities[0].scale_to_zero_enabled": expected true or false',
    },
    repair:
      'Write a value of the expected kind: put a string in quotes; write true, false and numbers without them; begin each item of a list with `- `.',
    changes: [[IRIS, '"true"', 'true']],
  },
  'bad-value': {
    stage: 'check',
    means:
      'The value is of the right kind, but it is not among the allowed values or is outside the allowed range. The message lists what is allowed.',
    example: {
      files: { [IRIS]: makeIrisFile(['workload_size: Tiny']) },
      command: 'davit check',
      says: 'endpoints/iris.yaml:6:22 error bad-value Cannot accept "Tiny" for "config.served_entities[0].workload_size": expected one of "Small", "Medium", "Large"',
    },
    repair: 'Write one of the values that the message lists. Case matters.',
    changes: [[IRIS, 'Tiny', 'Small']],
  },
  'unsupported-field': {
    stage: 'check',
    means:
      'Databricks has this field, but the model would be served without what the field asks for. This is an error, because silence would be a promise that is not kept. Fields that Databricks writes itself, such as `state` or `creator`, are reported too.',
    example: {
      files: { [IRIS]: makeIrisFile([], ['budget_policy_id: team-a']) },
      command: 'davit check',
      says: 'endpoints/iris.yaml:6:1 error unsupported-field Cannot use "budget_policy_id": it concerns Databricks billing',
    },
    repair:
      'Remove the field; the hint names the counterpart where there is one. Some fields are unsupported in one environment only: deploy to an environment that has them.',
    changes: [[IRIS, 'budget_policy_id: team-a\n', '']],
  },
  'deprecated-field': {
    stage: 'check',
    means:
      'Databricks renamed the field. Davit reads it under its new name and checks it as such, so the endpoint works; it is a warning.',
    example: {
      files: {
        [IRIS]:
          'name: iris\nconfig:\n  served_models:\n    - entity_name: iris\n      entity_version: "2"\n      workload_size: Small\n',
      },
      command: 'davit check',
      says: 'endpoints/iris.yaml:3:3 warning deprecated-field Found deprecated names: served_models is read as served_entities',
    },
    repair:
      'Write the new names: `served_entities` with `entity_name` and `entity_version`. `npx davit fmt` rewrites the file.',
    changes: [[IRIS, 'served_models', 'served_entities']],
  },
  'unresolved-variable': {
    stage: 'check',
    means:
      'The value contains a variable of a bundle, of Terraform, of a workflow or of a shell. Endpoint files have no variables: the model would get the characters as they are. In the value of an environment variable, `${NAME}` alone is only a warning, because a model may read it itself.',
    example: {
      files: { [IRIS]: makeIrisFile([], ['description: the model of ${var.team}']) },
      command: 'davit check',
      says: 'endpoints/iris.yaml:6:14 error unresolved-variable Cannot use ${var.team} in "description": endpoint files have no variables, expected the value itself',
    },
    repair:
      'Write the value. `npx davit import FILE` fills in the variables of a bundle or of Terraform, with `--target NAME` and `--var NAME=VALUE`. What differs between environments belongs into two endpoint files or into the environment; a secret is `{{secrets/SCOPE/KEY}}`.',
    changes: [[IRIS, '${var.team}', 'the garden team']],
  },
  'foreign-file': {
    stage: 'check',
    means:
      'The file in `endpoints/` is a whole bundle, a Terraform file or plan, or a list of endpoints. An endpoint file is one endpoint: what is below `resources.model_serving_endpoints.KEY` in a bundle.',
    example: {
      files: {
        [IRIS]: 'resources:\n  model_serving_endpoints:\n    iris:\n      name: iris\n',
      },
      command: 'davit check',
      says: 'endpoints/iris.yaml:1:1 error foreign-file Cannot read this file as an endpoint: "resources" is a field of a Databricks bundle, expected name and config',
    },
    repair:
      'Move the file out of `endpoints/` and run `npx davit import FILE`, which writes one endpoint file for each endpoint in it.',
  },
  'not-imported': {
    stage: 'check',
    means:
      'A part of an imported file has no place in an endpoint file, or an endpoint of it cannot be imported: it serves an external or a foundation model, its name is taken, or how many there are depends on a value that nobody gave.',
    example: {
      code: { language: 'sh', text: 'npx davit import databricks.yml' },
      command: 'davit import databricks.yml',
      says: 'databricks.yml:12:21 warning not-imported Cannot import "ai_gateway.guardrails" of "iris": guardrails are for language models',
    },
    repair:
      'A warning says what is left out: decide whether the endpoint is right without it. For an error, do what it says: give the value with `--var`, replace a file with `--force`, or leave out an endpoint that Davit cannot serve.',
    check: 'davit check',
  },
  'conflicting-fields': {
    stage: 'check',
    means: 'Each field is right alone, but both together ask for two different things.',
    example: {
      files: { [IRIS]: makeIrisFile(['workload_size: Small', 'max_provisioned_concurrency: 8']) },
      command: 'davit check',
      says: 'endpoints/iris.yaml:6:7 error conflicting-fields Cannot use workload_size together with min_provisioned_concurrency and max_provisioned_concurrency: expected one or the other',
    },
    repair:
      'Keep one of the two. A workload size is a range of concurrency with a name: Small is 4, Medium 8 to 16, Large 16 to 64.',
    changes: [[IRIS, '      workload_size: Small\n', '']],
  },
} as const satisfies Readonly<Record<string, Explanation>>;
