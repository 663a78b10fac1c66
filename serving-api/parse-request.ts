/** A parsed request to the gateway, before authentication. */
export type ParsedRequest =
  | { readonly kind: 'query'; readonly endpoint: string; readonly entity: string | undefined }
  | { readonly kind: 'list' }
  /** Login discovery. Databricks clients send it first, without a token, and warn if it fails. */
  | { readonly kind: 'discovery' }
  | { readonly kind: 'get'; readonly endpoint: string }
  | { readonly kind: 'metrics'; readonly endpoint: string }
  /** The OpenAPI document of the endpoint's queries. */
  | { readonly kind: 'openapi'; readonly endpoint: string }
  /** Databricks addresses permissions by the endpoint's id. */
  | { readonly kind: 'permissions' | 'permission-levels'; readonly id: string }
  | { readonly kind: 'logs' | 'build-logs'; readonly endpoint: string; readonly entity: string }
  /** A change through the API. The gateway refuses it, because endpoints change through Git. */
  | { readonly kind: 'write'; readonly endpoint: string | undefined }
  | { readonly kind: 'wrong-method'; readonly allow: string }
  | { readonly kind: 'unknown' };

const MANAGEMENT = '/api/2.0/serving-endpoints';
const PERMISSIONS = /^\/api\/2\.0\/permissions\/serving-endpoints\/([^/]+)(\/permissionLevels)?$/;
const DISCOVERY = '/.well-known/databricks-config';
const QUERY = /^\/serving-endpoints\/([^/]+)(?:\/served-models\/([^/]+))?\/invocations$/;
const LOGS = /^\/([^/]+)\/served-models\/([^/]+)\/(logs|build-logs)$/;

/** Parses a method and a target (`/path?query`). The paths are those of Databricks. */
export function parseRequest(method: string, target: string): ParsedRequest {
  const path = parseTargetPath(target);
  const query = QUERY.exec(path);
  if (query) {
    if (method !== 'POST') return { kind: 'wrong-method', allow: 'POST' };
    return {
      kind: 'query',
      endpoint: decodeSegment(query[1]),
      entity: query[2] === undefined ? undefined : decodeSegment(query[2]),
    };
  }
  if (path === MANAGEMENT || path.startsWith(`${MANAGEMENT}/`)) return parseManagement(method, path);
  const permissions = PERMISSIONS.exec(path);
  if (permissions) return parsePermissions(method, permissions);
  if (path === DISCOVERY && method === 'GET') return { kind: 'discovery' };
  return { kind: 'unknown' };
}

function parseManagement(method: string, path: string): ParsedRequest {
  const below = path.slice(MANAGEMENT.length);
  const [, name] = below.split('/');
  if (method !== 'GET') return { kind: 'write', endpoint: name ? decodeSegment(name) : undefined };
  if (!name) return { kind: 'list' };
  const logs = LOGS.exec(below);
  if (logs)
    return { kind: logs[3] as 'logs' | 'build-logs', endpoint: decodeSegment(logs[1]), entity: decodeSegment(logs[2]) };
  if (below === `/${name}`) return { kind: 'get', endpoint: decodeSegment(name) };
  if (below === `/${name}/metrics`) return { kind: 'metrics', endpoint: decodeSegment(name) };
  if (below === `/${name}/openapi`) return { kind: 'openapi', endpoint: decodeSegment(name) };
  return { kind: 'unknown' };
}

function parsePermissions(method: string, [, id, levels]: RegExpExecArray): ParsedRequest {
  if (method !== 'GET') return { kind: 'write', endpoint: undefined };
  return { kind: levels === undefined ? 'permissions' : 'permission-levels', id: decodeSegment(id) };
}

function parseTargetPath(target: string): string {
  const end = target.indexOf('?');
  const path = end < 0 ? target : target.slice(0, end);
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path; // MLflow's client appends "/" to list paths
}

function decodeSegment(part: string | undefined): string {
  try {
    return decodeURIComponent(part ?? '');
  } catch {
    return part ?? ''; // no existing name contains an invalid escape
  }
}
