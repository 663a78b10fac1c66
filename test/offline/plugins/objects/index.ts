// Makes the objects that the project's objects.json names.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Provider } from '@pulumi/kubernetes/provider.js';
import { getVersion } from '@pulumi/kubernetes/utilities.js';
import * as pulumi from '@pulumi/pulumi';
import type { Declared } from '../declared.ts';

class Any extends pulumi.CustomResource {
  declare readonly metadata: pulumi.Output<{ readonly name: string; readonly uid: string }>;
}

const root = pulumi.runtime.getRootDirectory();
const { settings, objects } = JSON.parse(readFileSync(join(root, 'objects.json'), 'utf8')) as Declared;
const provider = new Provider('cluster', settings);
const made = new Map<string, Any>();

for (const [name, { type, after, options, ...inputs }] of Object.entries(objects)) {
  const dependsOn = (after ?? []).flatMap((other) => made.get(other) ?? []);
  const all = { provider, version: getVersion(), dependsOn, ...options };
  made.set(name, new Any(type, name, { metadata: undefined, ...(fill(inputs) as pulumi.Inputs) }, all));
}

export const names = Object.fromEntries([...made].map(([name, any]) => [name, any.metadata.name]));

/** A text `$uid:NAME` is the uid of another object, which only the update knows. */
function fill(value: unknown): unknown {
  if (typeof value === 'string' && value.startsWith('$uid:'))
    return made.get(value.slice('$uid:'.length))?.metadata.apply((m) => m.uid);
  if (Array.isArray(value)) return value.map(fill);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, fill(field)]));
}
