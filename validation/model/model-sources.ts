import { parseImageUri } from '../../schemas/endpoint/image-uri.ts';
import { readOwn } from '../../schemas/values/read-own.ts';

/**
 * Where models may be downloaded from. The environment of Davit says so and never the checkout, because the checkout is
 * what a pull request writes.
 */
export interface ModelSources {
  /** Normalised: `s3://acme-models/production`. */
  readonly allowed: readonly string[];
  /** The tracking server, MLFLOW_TRACKING_URI. */
  readonly tracking: string | undefined;
}

export interface Refusal {
  readonly why: string;
  readonly hint: string;
}

export const SOURCES_VARIABLE = 'DAVIT_MODEL_SOURCES';
const SOURCE_RULE = 'expected SCHEME://HOST or SCHEME://HOST/FOLDER, such as s3://acme-models';
const SHAPE = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/]*))?(\/.*)?$/;
/** A DNS name, an IPv4 address or an IPv6 address in brackets, with an optional port. */
const HOST = /^(?:[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i;
/** Schemes that name a container before the host: `abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/`. */
const CONTAINER_SCHEMES = ['abfs', 'abfss', 'wasb', 'wasbs', 'r2', 'b2'];
/** Only Microsoft's own hosts get the credentials of Azure. */
const AZURE_HOST = /\.core\.(?:windows\.net|chinacloudapi\.cn|usgovcloudapi\.net)$/;
const CONTAINER = /^[A-Za-z0-9$][A-Za-z0-9._-]*@/;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: ':80', https: ':443', ftp: ':21', sftp: ':22' };
/** Schemes of names on the tracking server. With a host they would name another server. */
const NAME_SCHEMES = ['models', 'runs'];

/** Reads the allowed sources from Davit's own environment. Throws if the variable is not a list of sources. */
export function readModelSources(variables: NodeJS.ProcessEnv = process.env): ModelSources {
  const words = (variables[SOURCES_VARIABLE] ?? '').split(/[\s,]+/).filter(Boolean);
  const allowed = words.map((word) => {
    const parsed = parseModelUri(word);
    if ('why' in parsed || parsed.host === '' || [...NAME_SCHEMES, 'file'].includes(parsed.scheme))
      throw new Error(`Cannot use an entry of ${SOURCES_VARIABLE}: ${SOURCE_RULE}`);
    return renderUri(parsed).replace(/(?<!\/)\/+$/, '');
  });
  return { allowed, tracking: variables['MLFLOW_TRACKING_URI'] || undefined };
}

/**
 * What may receive the credentials of the tracking server. `tracking`: the URI names something on that server.
 * `storage`, `google`, `azure`: an object store. `image`: a container registry. `other`: a host that gets no credential.
 */
export type SourceKind = 'tracking' | 'storage' | 'google' | 'azure' | 'databricks' | 'image' | 'other';

/** Adds the URI that a user has typed on the command line: the user is the environment, not a pull request. */
export function allowTypedUri(sources: ModelSources, uri: string): ModelSources {
  const parsed = parseModelUri(uri);
  return 'why' in parsed ? sources : { ...sources, allowed: [...sources.allowed, renderUri(parsed)] };
}

/** Classifies a URI, or refuses it because its text is unsafe or its source is not allowed. */
export function checkModelUri(uri: string, { allowed, tracking }: ModelSources): SourceKind | Refusal {
  const parsed = parseModelUri(uri);
  if ('why' in parsed) return parsed;
  const { scheme, host } = parsed;
  if (NAME_SCHEMES.includes(scheme))
    return host === '' ? 'tracking' : { why: 'it names a server', hint: `Write ${scheme}:/… without a host` };
  if (scheme === 'mlflow-artifacts' && (host === '' || isTrackingHost(host, tracking))) return 'tracking';
  if (scheme === 'oci' && !parseImageUri(uri)) return IMAGE_RULE;
  if (!isBelow(renderUri(parsed), allowed)) return refuseSource(scheme, host, allowed);
  if (scheme === 'oci') return 'image';
  if (scheme === 's3' || scheme === 'r2' || scheme === 'b2') return 'storage';
  if (scheme === 'gs') return 'google';
  if (['wasbs', 'abfss'].includes(scheme) && AZURE_HOST.test(host)) return 'azure';
  return scheme === 'dbfs' ? 'databricks' : 'other';
}

function isTrackingHost(host: string, tracking: string | undefined): boolean {
  const [, scheme = '', server = ''] = /^(https?):\/\/(?:[^/@]*@)?([^/?#]*)/i.exec(tracking ?? '') ?? [];
  return server !== '' && normalizeHost(scheme.toLowerCase(), server) === normalizeHost(scheme.toLowerCase(), host);
}

const IMAGE_RULE: Refusal = {
  why: 'it is not the name of an image with a tag or a digest',
  hint: 'Write oci://REGISTRY/NAME:TAG or oci://REGISTRY/NAME@sha256:…, the registry in full (docker.io, ghcr.io) and the name in lowercase',
};

/** An image is below its repository, too: `oci://ghcr.io/acme/iris` allows each tag and digest of it. */
function isBelow(uri: string, allowed: readonly string[]): boolean {
  const ends = uri.startsWith('oci:') ? ['/', ':', '@'] : ['/'];
  return allowed.some(
    (source) => uri === source || ends.some((end) => (end === '/' || hasPath(source)) && uri.startsWith(source + end)),
  );
}

/** `oci://ghcr.io/acme`, and not `oci://ghcr.io`, after which `:` begins a port. */
function hasPath(source: string): boolean {
  return /^oci:\/\/[^/]+\/[^:@]+$/.test(source);
}

function refuseSource(scheme: string, host: string, allowed: readonly string[]): Refusal {
  const known = ['models:/', 'runs:/', 'paths', ...allowed].join(', ');
  const source = host === '' ? `${scheme}://HOST` : `${scheme}://${host}`;
  return {
    why: `its source is not allowed, expected one of ${known}`,
    hint: `To allow it, the owner of the repository adds ${source} to ${SOURCES_VARIABLE} in the environment of Davit, or to the input "model-sources" of its workflow; a pull request cannot`,
  };
}

interface ParsedUri {
  readonly scheme: string;
  /** Normalised, with its container. Empty: the URI has none. */
  readonly host: string;
  /** Empty, or begins with `/`. */
  readonly path: string;
}

/** Parses strictly: what is left is read in the same way by this program, by Python and by MLflow. */
function parseModelUri(uri: string): ParsedUri | Refusal {
  const refuse = (why: string, hint: string): Refusal => ({ why, hint });
  const fragment = /[\p{Cc}\p{Cf}\s\\?#]/u.exec(uri)?.[0];
  if (fragment !== undefined)
    return refuse(`it contains ${JSON.stringify(fragment)}`, 'Write a URI without spaces, backslashes, "?" and "#"');
  const [, scheme, authority = '', path = ''] = SHAPE.exec(uri) ?? [];
  if (scheme === undefined)
    return refuse('it is not a URI that Davit can read', 'Write SCHEME:/… or SCHEME://HOST/…, with a lowercase scheme');
  const isContainer = CONTAINER_SCHEMES.includes(scheme) && CONTAINER.test(authority);
  const host = isContainer ? authority.replace(CONTAINER, '') : authority;
  if (host.includes('@'))
    return refuse('it contains a user or password', 'Write it without, because files are in Git; use the environment');
  if (host !== '' && !HOST.test(host))
    return refuse('its host is not a name or an address', 'Write the host as letters, digits, dots and "-"');
  if (/%(?:2e|2f|5c|25|0)/i.test(path) || path.includes('//') || /(?:^|\/)\.\.?(?:\/|$)/.test(path))
    return refuse('its path contains ".", "..", "//" or an escaped separator', 'Write the path in full');
  const container = isContainer ? authority.slice(0, authority.length - host.length) : '';
  return { scheme, host: container + normalizeHost(scheme, host), path };
}

function normalizeHost(scheme: string, host: string): string {
  const port = readOwn(DEFAULT_PORTS, scheme);
  const lower = host.toLowerCase();
  return port !== undefined && lower.endsWith(port) ? lower.slice(0, -port.length) : lower;
}

function renderUri({ scheme, host, path }: ParsedUri): string {
  return host === '' ? `${scheme}:${path}` : `${scheme}://${host}${path}`;
}
