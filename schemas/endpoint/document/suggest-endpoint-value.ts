import type { Path } from '../../yaml/parsed-yaml.ts';
import { isRecord } from '../../values/is-record.ts';

/** Suggests what to write instead of a value of an endpoint file that has the right content in the wrong form. */
export function suggestEndpointValue(path: Path, value: unknown): string | undefined {
  const field = String(path.at(-1));
  if (path.length === 1 && field === 'tags' && isRecord(value)) return renderTags(value);
  if (field === 'environment_vars' && Array.isArray(value)) return renderVariables(value);
  if (field === 'served_entities' && path[0] === 'config' && isRecord(value))
    return 'Begin the served entity with "- ": it is an item of a list';
  if (path.length === 3 && path[1] === 'served_entities' && typeof value === 'string')
    return `Write a map: - { entity_name: ${renderText(value)}, entity_version: "1" }`;
  if (field === 'routes' && isRecord(value)) return renderRoutes(value);
  if (path.at(-2) === 'build_wheels' && typeof value === 'string') return suggestPackageName(value);
  return undefined;
}

/** `Docopt`, `docopt==0.6.2` → `docopt` */
function suggestPackageName(text: string): string | undefined {
  const name = /^[A-Za-z0-9][A-Za-z0-9._-]*/
    .exec(text.trim())?.[0]
    ?.toLowerCase()
    .replace(/[-_.]+/g, '-');
  return name === undefined ? undefined : `Did you mean ${JSON.stringify(name.replace(/-$/, ''))}?`;
}

const MAX_LINES = 10;

function renderTags(tags: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(tags)
    .filter(([, value]) => typeof value !== 'object')
    .slice(0, MAX_LINES)
    .map(([key, value]) => `  - { key: ${renderText(key)}, value: ${renderText(value)} }`);
  const shown = lines.length > 0 ? lines : ['  - { key: team, value: vision }'];
  return ['Write a list:', 'tags:', ...shown].join('\n');
}

function renderRoutes(routes: Readonly<Record<string, unknown>>): string {
  const [[name, share] = ['iris-1', 100]] = Object.entries(routes);
  const percentage = typeof share === 'number' ? String(share) : '100';
  return `Write a list:\nroutes:\n  - { served_entity_name: ${renderText(name)}, traffic_percentage: ${percentage} }`;
}

function renderVariables(list: readonly unknown[]): string | undefined {
  const pairs = list.filter(isRecord).map((item) => [item['name'] ?? item['key'], item['value']] as const);
  const lines = pairs
    .filter(([name]) => typeof name === 'string')
    .slice(0, MAX_LINES)
    .map(([name, value]) => `  ${String(name)}: ${renderText(value)}`);
  return lines.length > 0 ? ['Write a map:', 'environment_vars:', ...lines].join('\n') : undefined;
}

function renderText(value: unknown): string {
  if (typeof value === 'string' && /^[A-Za-z_][\w./-]{0,200}$/.test(value) && !/^(?:true|false|null)$/i.test(value))
    return value;
  return JSON.stringify(typeof value === 'string' ? value : JSON.stringify(value));
}
