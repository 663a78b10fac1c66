import { checkRoutes, renderExpectedNames } from './check-routes.ts';
import { checkAccess } from './complete-access.ts';
import { checkVersions } from './check-versions.ts';
import { checkWorkers } from './check-workers.ts';
import { checkValidation } from './validation-cases.ts';
import { isGpu } from './workload.ts';
import { type Diagnostic, makeError, makeWarning, type SourceLocation } from '../diagnostic.ts';
import { type EndpointFile, entityName } from './endpoint-file.ts';
import type { Locate, Path } from '../yaml/parsed-yaml.ts';
import { renderValue } from '../yaml/render-issue.ts';
import { suggestValue } from '../yaml/suggest-value.ts';
import { MAX_WORKERS } from './count-replicas.ts';
import { findRepeated } from '../values/find-repeated.ts';

type ServedEntityFile = EndpointFile['config']['served_entities'][number];
type LocateInEntity = (field: keyof ServedEntityFile, options?: { readonly key?: boolean }) => SourceLocation;

/** Checks the rules about the endpoint's own name, which is valid. */
export function checkOwnName(value: EndpointFile, file: string, locate: Locate): readonly Diagnostic[] {
  return [...checkFileName(value, file, locate), ...checkConfigName(value, locate)];
}

/** Checks the names of served entities and what refers to them. */
export function checkReferences(value: EndpointFile, locate: Locate, wrong: readonly Path[]): readonly Diagnostic[] {
  return [
    ...value.config.served_entities.flatMap((_, i) => checkEntityName(value, i, locateInEntity(i, locate))),
    ...checkRoutes(value, locate, wrong),
    ...checkDavitEntities(value, locate, wrong),
  ];
}

/** Checks the rules that do not depend on names. */
export function checkRulesWithoutNames(
  value: EndpointFile,
  locate: Locate,
  wrong: readonly Path[],
): readonly Diagnostic[] {
  const compute = value.config.served_entities.flatMap((served, i) => [
    ...checkConcurrency(served, locateInEntity(i, locate)),
    ...(hasOneWorker(value, served) ? [] : warnAboutUnevenMaximum(served, locateInEntity(i, locate))),
  ]);
  return [
    compute,
    ...[checkVersions, checkWorkers, checkValidation, checkTags].map((check) => check(value, locate)),
    checkAccess(value, locate, wrong),
  ].flat();
}

function locateInEntity(index: number, locate: Locate): LocateInEntity {
  return (field, options) => locate(['config', 'served_entities', index, field], options);
}

function checkFileName({ name }: EndpointFile, file: string, locate: Locate): readonly Diagnostic[] {
  const last = file.split(/[\\/]/).at(-1) ?? '';
  // All other commands look only for NAME.yaml.
  if (!last.endsWith('.yaml')) {
    const message = `Cannot use ${file} as an endpoint file: expected the name ${name}.yaml`;
    return [makeError('name-mismatch', { file, line: 1, column: 1 }, message, 'Rename the file')];
  }
  const stem = last.slice(0, -'.yaml'.length);
  if (stem === name) return [];
  const message = `Cannot accept "${name}" as the name in ${file}: expected "${stem}"`;
  return [makeError('name-mismatch', locate(['name']), message, 'Rename the file or the endpoint')];
}

function checkConfigName({ name, config }: EndpointFile, locate: Locate): readonly Diagnostic[] {
  if (config.name === undefined || config.name === name) return [];
  const message = `Cannot accept ${renderValue(config.name)} for "config.name": expected ${renderValue(name)}`;
  return [makeError('name-mismatch', locate(['config', 'name']), message, 'Remove it')];
}

function checkEntityName({ config }: EndpointFile, index: number, at: LocateInEntity): readonly Diagnostic[] {
  const names = config.served_entities.map(entityName);
  const name = names[index] ?? '';
  const given = config.served_entities[index]?.name !== undefined;
  if (names.indexOf(name) < index) {
    const message = `Cannot have two served entities named "${name}"`;
    return [makeError('duplicate-name', at(given ? 'name' : 'entity_name'), message, 'Give one of them another name')];
  }
  if (given || /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(name)) return [];
  const message = `Cannot use "${name}" as the name of a served entity: expected 1 to 63 letters, digits, "-" or "_"`;
  return [makeError('bad-value', at('entity_name'), message, 'Add a name to the entity')];
}

function checkConcurrency(served: ServedEntityFile, at: LocateInEntity): readonly Diagnostic[] {
  const { workload_size: size, min_provisioned_concurrency: min, max_provisioned_concurrency: max } = served;
  const found: Diagnostic[] = [];
  if (size && (min !== undefined || max !== undefined)) {
    const message =
      'Cannot use workload_size together with min_provisioned_concurrency and max_provisioned_concurrency: expected one or the other';
    found.push(makeError('conflicting-fields', at('workload_size', { key: true }), message));
  }
  if (min !== undefined && max !== undefined && min > max) {
    const message = `Cannot use a minimum of ${min} with a maximum of ${max}: expected a minimum of at most the maximum`;
    found.push(makeError('bad-value', at('min_provisioned_concurrency'), message));
  }
  if (min === 0 && !served.scale_to_zero_enabled) {
    const message = 'Cannot have a minimum of 0 without scale_to_zero_enabled: true';
    const hint = 'Add scale_to_zero_enabled: true, or raise the minimum';
    found.push(makeError('conflicting-fields', at('min_provisioned_concurrency'), message, hint));
  }
  return found;
}

/** With one worker per replica, any maximum is a whole number of replicas. */
function hasOneWorker({ davit }: EndpointFile, served: ServedEntityFile): boolean {
  const mode = davit?.served_entities?.[entityName(served)]?.workers;
  return mode === 'one' && !isGpu(served.workload_type ?? 'CPU');
}

/**
 * Databricks accepts only multiples of 4. Davit makes a smaller replica for a maximum below 4. Above 4 it rounds up to
 * whole replicas, so the entity gets more concurrency than the file requests.
 */
function warnAboutUnevenMaximum(served: ServedEntityFile, at: LocateInEntity): readonly Diagnostic[] {
  const { min_provisioned_concurrency: min = 0, max_provisioned_concurrency: max } = served;
  const most = max ?? min;
  const whole = Math.ceil(most / MAX_WORKERS) * MAX_WORKERS;
  if (most <= MAX_WORKERS || most === whole || most < min) return [];
  const message = `Found a maximum of ${most}: ${whole / MAX_WORKERS} replicas have ${whole} units of concurrency`;
  const place = at(max === undefined ? 'min_provisioned_concurrency' : 'max_provisioned_concurrency');
  return [makeWarning('uneven-concurrency', place, message, `Write ${whole - MAX_WORKERS} or ${whole}`)];
}

function checkDavitEntities(
  { config, davit }: EndpointFile,
  locate: Locate,
  wrong: readonly Path[],
): readonly Diagnostic[] {
  const names = config.served_entities.map(entityName);
  return Object.keys(davit?.served_entities ?? {})
    .filter((name) => !names.includes(name) && !wrong.some((path) => path.length === 3 && path[2] === name))
    .map((name) => {
      const message = `Cannot find the served entity "${name}": ${renderExpectedNames(names)}`;
      const place = locate(['davit', 'served_entities', name], { key: true });
      return makeError('unknown-entity', place, message, suggestValue(name, names));
    });
}

function checkTags({ tags = [] }: EndpointFile, locate: Locate): readonly Diagnostic[] {
  return [...findRepeated(tags.map((tag) => tag.key))].map((i) => {
    const message = `Found the tag "${tags[i]?.key ?? ''}" twice: the last one takes effect`;
    return makeWarning('duplicate-name', locate(['tags', i, 'key']), message);
  });
}
