import type { Path } from '../../yaml/parsed-yaml.ts';

/** Suggests what to write instead of a value of an endpoint file that has the right content in the wrong form. */
export function suggestEndpointValue(path: Path, value: unknown): string | undefined {
  const field = String(path.at(-1));
  if (path.length === 1 && field === 'tags' && isMap(value)) return renderTags(value);
  if (field === 'environment_vars' && Array.isArray(value)) return renderVariables(value);
  if (field === 'served_entities' && path[0] === 'config' && isMap(value))
    return 'Begin the served entity with "- ": it is an item of a list';
  return undefined;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const MAX_LINES = 10;

function renderTags(tags: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(tags)
    .slice(0, MAX_LINES)
    .map(([key, value]) => `  - { key: ${renderText(key)}, value: ${renderText(value)} }`);
  const shown = lines.length > 0 ? lines : ['  - { key: team, value: vision }'];
  return ['Write a list:', 'tags:', ...shown].join('\n');
}

function renderVariables(list: readonly unknown[]): string | undefined {
  const pairs = list.filter(isMap).map((item) => [item['name'] ?? item['key'], item['value']] as const);
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
