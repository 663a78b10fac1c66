import { type Diagnostic, makeError, makeWarning } from './diagnostic.ts';
import type { EndpointFile } from './endpoint-file.ts';
import { entityName } from './parse-endpoint.ts';
import type { ParsedYaml } from './parse-yaml.ts';
import { renderValue } from './render-issue.ts';

type Locate = ParsedYaml<unknown>['locate'];

/** Rules between the fields of one endpoint file that already has the right shape. */
export function checkEndpointFile(value: EndpointFile, file: string, locate: Locate): readonly Diagnostic[] {
  return [
    ...checkFileName(value, file, locate),
    ...checkEntities(value, locate),
    ...checkRoutes(value, locate),
    ...checkOurOwn(value, locate),
    ...checkTags(value, locate),
  ];
}

function checkFileName({ name }: EndpointFile, file: string, locate: Locate): readonly Diagnostic[] {
  const stem = file
    .split(/[\\/]/)
    .at(-1)
    ?.replace(/\.ya?ml$/, '');
  if (stem === name) return [];
  return [
    makeError(
      'name-mismatch',
      locate(['name']),
      `Cannot accept "${name}" as the name in ${file}: expected "${stem ?? ''}"`,
      'Rename the file or the endpoint',
    ),
  ];
}

function checkEntities({ config }: EndpointFile, locate: Locate): readonly Diagnostic[] {
  const names = config.served_entities.map(entityName);
  return config.served_entities.flatMap((served, i) => {
    const at = ['config', 'served_entities', i] as const;
    const found: Diagnostic[] = [];
    const name = entityName(served);
    if (names.indexOf(name) < i) {
      found.push(
        makeError(
          'duplicate-name',
          locate([...at, served.name ? 'name' : 'entity_name']),
          `Cannot have two served entities named "${name}"`,
          'Give one of them another name',
        ),
      );
    }
    if (!served.name && !/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(name)) {
      found.push(
        makeError(
          'bad-value',
          locate([...at, 'entity_name']),
          `Cannot use "${name}" as the name of a served entity: expected 1 to 63 letters, digits, "-" or "_"`,
          'Add a name to the entity',
        ),
      );
    }
    const { workload_size: size, min_provisioned_concurrency: min, max_provisioned_concurrency: max } = served;
    if (size && (min !== undefined || max !== undefined)) {
      found.push(
        makeError(
          'conflicting-fields',
          locate([...at, 'workload_size'], { key: true }),
          'Cannot use workload_size beside min_provisioned_concurrency and max_provisioned_concurrency: expected one or the other',
        ),
      );
    }
    if (min !== undefined && max !== undefined && min > max) {
      found.push(
        makeError(
          'bad-value',
          locate([...at, 'min_provisioned_concurrency']),
          `Cannot provide for ${min} to ${max} requests: expected a minimum that is not above the maximum`,
        ),
      );
    }
    if (min === 0 && !served.scale_to_zero_enabled) {
      found.push(
        makeError(
          'conflicting-fields',
          locate([...at, 'min_provisioned_concurrency']),
          'Cannot have a minimum of 0 without scale_to_zero_enabled: true',
          'Add scale_to_zero_enabled: true, or raise the minimum',
        ),
      );
    }
    return found;
  });
}

function checkRoutes({ config }: EndpointFile, locate: Locate): readonly Diagnostic[] {
  const routes = config.traffic_config?.routes;
  if (!routes) {
    if (config.served_entities.length === 1) return [];
    return [
      makeError(
        'traffic-missing',
        locate(['config'], { key: true }),
        `Cannot share traffic between ${config.served_entities.length} served entities: expected config.traffic_config.routes`,
        'Add a route with a traffic_percentage for each',
      ),
    ];
  }
  const names = config.served_entities.map(entityName);
  const seen = new Set<string>();
  const found = routes.flatMap((r, i) => {
    const at = ['config', 'traffic_config', 'routes', i] as const;
    const key = r.served_entity_name !== undefined ? 'served_entity_name' : 'served_model_name';
    const name = r.served_entity_name ?? r.served_model_name;
    if (name === undefined)
      return [
        makeError(
          'missing-field',
          locate(at),
          `Cannot find "served_entity_name" in a route: expected one of ${names.map(renderValue).join(', ')}`,
        ),
      ];
    if (!names.includes(name))
      return [
        makeError(
          'unknown-entity',
          locate([...at, key]),
          `Cannot send traffic to "${name}": expected one of ${names.map(renderValue).join(', ')}`,
        ),
      ];
    if (seen.has(name))
      return [makeError('duplicate-name', locate([...at, key]), `Cannot have two routes to "${name}"`)];
    seen.add(name);
    return [];
  });
  const sum = routes.reduce((total, r) => total + Number(r.traffic_percentage), 0);
  if (sum === 100) return found;
  return [
    ...found,
    makeError(
      'traffic-sum',
      locate(['config', 'traffic_config', 'routes']),
      `Cannot share ${sum} % of the traffic: expected percentages that add up to 100`,
    ),
  ];
}

function checkOurOwn({ config, davit }: EndpointFile, locate: Locate): readonly Diagnostic[] {
  const names = config.served_entities.map(entityName);
  return Object.keys(davit?.served_entities ?? {})
    .filter((name) => !names.includes(name))
    .map((name) =>
      makeError(
        'unknown-entity',
        locate(['davit', 'served_entities', name], { key: true }),
        `Cannot find the served entity "${name}": expected one of ${names.map(renderValue).join(', ')}`,
      ),
    );
}

function checkTags({ tags = [] }: EndpointFile, locate: Locate): readonly Diagnostic[] {
  return tags.flatMap((tag, i) =>
    tags.findIndex((t) => t.key === tag.key) < i
      ? [
          makeWarning(
            'duplicate-name',
            locate(['tags', i, 'key']),
            `Found the tag "${tag.key}" twice: the last one counts`,
          ),
        ]
      : [],
  );
}
