import { type Explanation, makeIrisFile } from './explanation.ts';

const IRIS = 'endpoints/iris.yaml';
const TWO_ENTITIES = [
  'name: iris',
  'config:',
  '  served_entities:',
  '    - { name: champion, entity_name: iris, entity_version: "1" }',
  '    - { name: challenger, entity_name: iris, entity_version: "2" }',
].join('\n');
const route = (name: string, percentage: number) =>
  `      - { served_entity_name: ${name}, traffic_percentage: ${percentage} }`;
const withRoutes = (...routes: readonly string[]) =>
  [TWO_ENTITIES, '  traffic_config:', '    routes:', ...routes, ''].join('\n');

/** Codes about rules over a whole endpoint, and over all endpoints. */
export const RULE_CODES = {
  'name-mismatch': {
    stage: 'check',
    means:
      'The endpoint NAME is the file endpoints/NAME.yaml, and every command looks for it there. This file has another name than its endpoint.',
    example: {
      files: { 'endpoints/flowers.yaml': makeIrisFile() },
      command: 'davit check',
      says: 'endpoints/flowers.yaml:1:7 error name-mismatch Cannot accept "iris" as the name in endpoints/flowers.yaml: expected "flowers"',
    },
    repair:
      'Rename the file (`git mv endpoints/flowers.yaml endpoints/iris.yaml`), or change `name`. Renaming an endpoint that is deployed makes a new endpoint and removes the old one.',
    changes: [['endpoints/flowers.yaml', 'name: iris\nconfig', 'name: flowers\nconfig']],
  },
  'duplicate-name': {
    stage: 'check',
    means:
      'Two endpoints, two served entities of one endpoint, or two routes have the same name, so a request could not say which one it means. Names of endpoints that differ only in case count as the same, because host names ignore case.',
    example: {
      files: { [IRIS]: TWO_ENTITIES.replace('challenger', 'champion') + '\n' },
      command: 'davit check',
      says: 'endpoints/iris.yaml:5:15 error duplicate-name Cannot have two served entities named "champion"',
    },
    repair: 'Give one of the two another name.',
    changes: [
      [
        IRIS,
        'name: champion, entity_name: iris, entity_version: "2"',
        'name: challenger, entity_name: iris, entity_version: "2"',
      ],
    ],
  },
  'unknown-entity': {
    stage: 'check',
    means:
      'A route, or an entry of `davit.served_entities`, names a served entity that this endpoint does not have. An entity without a name is called entity_name-entity_version.',
    example: {
      files: { [IRIS]: withRoutes(route('champion', 90), route('chalenger', 10)) },
      command: 'davit check',
      says: 'endpoints/iris.yaml:9:31 error unknown-entity Cannot send traffic to "chalenger": expected one of "champion", "challenger"',
    },
    repair: 'Write the name of an entity of this endpoint; the message lists them.',
    changes: [[IRIS, 'chalenger', 'challenger']],
  },
  'traffic-sum': {
    stage: 'check',
    means: 'The percentages of all routes must add up to 100, because every request goes to exactly one entity.',
    example: {
      files: { [IRIS]: withRoutes(route('champion', 90), route('challenger', 20)) },
      command: 'davit check',
      says: 'endpoints/iris.yaml:8:7 error traffic-sum Cannot route 110 % of the traffic: expected percentages that add up to 100',
    },
    repair:
      'Change the percentages so that their sum is 100. An entity with 0 keeps running and can be queried by its own name.',
    changes: [[IRIS, 'traffic_percentage: 20', 'traffic_percentage: 10']],
  },
  'traffic-missing': {
    stage: 'check',
    means: 'With one served entity, all traffic goes to it. With several, only you can say how they share it.',
    example: {
      files: { [IRIS]: `${TWO_ENTITIES}\n` },
      command: 'davit check',
      says: 'endpoints/iris.yaml:2:1 error traffic-missing Cannot split traffic between 2 served entities: expected config.traffic_config.routes',
    },
    repair: 'Add `traffic_config` with one route per entity that takes traffic.',
    changes: [
      [
        IRIS,
        'entity_version: "2" }\n',
        `entity_version: "2" }\n  traffic_config:\n    routes:\n${route('champion', 100)}\n`,
      ],
    ],
  },
  'uneven-concurrency': {
    stage: 'check',
    means:
      'A replica has up to 4 workers, so a maximum above 4 that is no multiple of 4 is rounded up to whole replicas: more than the file asks for, and more cost. It is a warning.',
    example: {
      files: { [IRIS]: makeIrisFile(['max_provisioned_concurrency: 10']) },
      command: 'davit check',
      says: 'endpoints/iris.yaml:6:36 warning uneven-concurrency Found a maximum of 10: 3 replicas have 12 units of concurrency',
    },
    repair: 'Write one of the two numbers of the hint.',
    changes: [[IRIS, '10', '12']],
  },
  'unknown-endpoint': {
    stage: 'check',
    means: 'No file in endpoints/ has this name, or the folder has no YAML file at all.',
    example: {
      code: { language: 'sh', text: 'npx davit validate irsi' },
      command: 'davit validate irsi',
      says: 'endpoints/irsi.yaml:1:1 error unknown-endpoint Cannot find the endpoint "irsi": there is no file endpoints/irsi.yaml',
    },
    repair:
      'Write a name that the hint lists; names are those of the files, without `.yaml`. In another folder than that of the project, add `--project FOLDER`. The first endpoint of a project comes from `npx davit init`.',
    check: 'davit check',
  },
  'unknown-environment': {
    stage: 'check',
    means: 'No file in environments/ has this name.',
    example: {
      code: { language: 'sh', text: 'npx davit show iris --env prod' },
      command: 'davit show iris --env prod',
      says: 'environments/prod.yaml:1:1 error unknown-environment Cannot find the environment "prod": there is no file environments/prod.yaml',
    },
    repair:
      'Write the name of an existing environment, or make the file: [environments](../environments.md) has an example of each target.',
    check: 'davit check environments',
  },
} as const satisfies Readonly<Record<string, Explanation>>;
