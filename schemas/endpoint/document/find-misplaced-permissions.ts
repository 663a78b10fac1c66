import { type Document, isMap, isScalar } from 'yaml';
import { makeError } from '../../diagnostic.ts';
import type { LocateOffset, Preparation } from '../../yaml/parse-yaml.ts';

/** Bundles, the permissions API and Terraform. */
const FIELDS = ['permissions', 'access_control_list', 'access_control'];
const PRINCIPALS = ['user_name', 'group_name', 'service_principal_name'] as const;

/** Finds lists of permissions at the top level, where other formats have them, and writes the lines for davit. */
export function findMisplacedPermissions(document: Document, at: LocateOffset): Preparation {
  const root = document.contents;
  const pairs = isMap(root) ? root.items.filter(({ key }) => isScalar(key) && FIELDS.includes(String(key.value))) : [];
  const diagnostics = pairs.map(({ key, value }) => {
    const name = isScalar(key) ? String(key.value) : '';
    const message = `Cannot accept "${name}" here: the permissions of an endpoint are in davit.permissions, expected permission_level in each`;
    const offset = isScalar(key) ? (key.range?.[0] ?? 0) : 0;
    return makeError(
      'unknown-field',
      at(offset),
      message,
      renderLines(isCollection(value) ? value.toJSON() : undefined),
    );
  });
  return { diagnostics, wrong: pairs.map(({ key }) => [isScalar(key) ? String(key.value) : '']) };
}

function isCollection(value: unknown): value is { toJSON: () => unknown } {
  return typeof value === 'object' && value !== null && 'items' in value && 'toJSON' in value;
}

function renderLines(list: unknown): string {
  const permissions = Array.isArray(list) ? list.flatMap(renderPermission) : [];
  const lines = permissions.length > 0 ? permissions : ['    - group_name: users', '      permission_level: CAN_QUERY'];
  return ['Write instead:', 'davit:', '  permissions:', ...lines].join('\n');
}

function renderPermission(item: unknown): readonly string[] {
  if (typeof item !== 'object' || item === null) return [];
  const fields = item as Partial<Record<string, unknown>>;
  const principal = PRINCIPALS.find((name) => typeof fields[name] === 'string');
  const level = fields['permission_level'] ?? fields['level'];
  return [
    `    - ${principal ?? 'group_name'}: ${renderText(principal ? fields[principal] : 'NAME')}`,
    `      permission_level: ${renderText(level)}`,
  ];
}

function renderText(value: unknown): string {
  if (typeof value !== 'string') return 'CAN_QUERY';
  return /^[A-Za-z_][\w@./-]{0,200}$/.test(value) ? value : JSON.stringify(value);
}
