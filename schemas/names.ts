import { createHash } from 'node:crypto';

/** `iris.local`: the Pulumi stack of one endpoint in one environment. */
export function stackName(endpoint: string, environment: string): string {
  return `${endpoint}.${environment}`;
}

/** The way back: `iris.local` → endpoint and environment; undefined for anything else. */
export function parseStackName(stack: string): { readonly endpoint: string; readonly environment: string } | undefined {
  const [endpoint, environment, ...rest] = stack.split('.');
  return endpoint && environment && rest.length === 0 ? { endpoint, environment } : undefined;
}

/** `iris-1-3f9c2a71d0`: a revision is its entity and what it is made of, so the same content has the same name. */
export function revisionName(entity: string, content: unknown): string {
  return `${entity}-${contentHash(content).slice(0, 10)}`;
}

/** SHA-256, in hex, of a JSON value whatever the order of its keys. */
export function contentHash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) =>
    v !== null && typeof v === 'object' && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
}
