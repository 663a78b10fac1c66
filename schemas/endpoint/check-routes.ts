import type { Locate, Path } from '../yaml/parsed-yaml.ts';
import { type Diagnostic, makeError } from '../diagnostic.ts';
import { type EndpointFile, entityName } from './endpoint-file.ts';
import { renderValue } from '../yaml/render-issue.ts';
import { suggestValue } from '../yaml/suggest-value.ts';

type Routes = NonNullable<EndpointFile['config']['traffic_config']>['routes'];

/** Checks that every route names an existing entity and that the percentages add up to 100, where all are known. */
export function checkRoutes(
  { config }: EndpointFile,
  locate: Locate,
  wrong: readonly Path[] = [],
): readonly Diagnostic[] {
  if (wrong.some((path) => path[1] === 'traffic_config' && path.length <= 4)) return [];
  const names = config.served_entities.map(entityName);
  const routes = config.traffic_config?.routes;
  if (!routes) return names.length === 1 ? [] : [reportMissingTraffic(names.length, locate)];
  const found = routes.flatMap((_, i) => checkRoute(routes, i, names, locate));
  const sum = routes.reduce((total, r) => total + Number(r.traffic_percentage), 0);
  if (sum === 100 || wrong.some((path) => path.at(-1) === 'traffic_percentage')) return found;
  const message = `Cannot route ${sum} % of the traffic: expected percentages that add up to 100`;
  return [...found, makeError('traffic-sum', locate(['config', 'traffic_config', 'routes']), message)];
}

function reportMissingTraffic(entities: number, locate: Locate): Diagnostic {
  const message = `Cannot split traffic between ${entities} served entities: expected config.traffic_config.routes`;
  return makeError(
    'traffic-missing',
    locate(['config'], { key: true }),
    message,
    'Add a route with a traffic_percentage for each entity',
  );
}

function checkRoute(routes: Routes, index: number, names: readonly string[], locate: Locate): readonly Diagnostic[] {
  const at = ['config', 'traffic_config', 'routes', index];
  const route = routes[index];
  const name = route?.served_entity_name ?? route?.served_model_name;
  const expected = renderExpectedNames(names);
  if (name === undefined) {
    return [makeError('missing-field', locate(at), `Cannot find "served_entity_name" in a route: ${expected}`)];
  }
  const place = locate([...at, route?.served_entity_name === undefined ? 'served_model_name' : 'served_entity_name']);
  if (!names.includes(name))
    return [
      makeError('unknown-entity', place, `Cannot send traffic to "${name}": ${expected}`, suggestValue(name, names)),
    ];
  const first = routes.findIndex((r) => (r.served_entity_name ?? r.served_model_name) === name);
  return first < index ? [makeError('duplicate-name', place, `Cannot have two routes to "${name}"`)] : [];
}

/** The names of served entities that a reference may have. */
export function renderExpectedNames(names: readonly string[]): string {
  const [first, ...others] = [...new Set(names)].map(renderValue);
  return others.length === 0 ? `expected ${first ?? 'none'}` : `expected one of ${[first, ...others].join(', ')}`;
}
