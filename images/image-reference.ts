/** The parts of an image name. */
export interface ImageReference {
  /** The registry as written, which is also the key of its credentials: `ghcr.io`, `docker.io`, `localhost:5001`. */
  readonly registry: string;
  /** `acme/models/iris` */
  readonly name: string;
  /** Tag or digest. Undefined in the name of a repository. */
  readonly version: string | undefined;
}

const DOCKER_HUB = 'docker.io';
const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+|\/)[a-z0-9]+)*$/;

/** Parses `ghcr.io/acme/iris:1`. As in Docker, a first part without a dot or port is not a registry. */
export function parseImageReference(text: string): ImageReference {
  const [, path = '', tag, digest] = /^([^@]+?)(?::([\w][\w.-]{0,127}))?(?:@(\w+:[0-9a-f]+))?$/.exec(text) ?? [];
  const [first = '', ...rest] = path.split('/');
  const named = rest.length > 0 && (first === 'localhost' || /[.:]/.test(first));
  const name = named ? rest.join('/') : path;
  if (!NAME.test(name))
    throw new SyntaxError(`Cannot read "${text}" as the name of an image: expected REGISTRY/NAME in lowercase letters`);
  const registry = named ? first : DOCKER_HUB;
  const official = registry === DOCKER_HUB && !name.includes('/');
  return { registry, name: official ? `library/${name}` : name, version: digest ?? tag };
}

/** The base URL of a registry's API. Uses plain HTTP only for this machine. */
export function makeRegistryUrl(registry: string): string {
  if (registry === DOCKER_HUB || registry === 'index.docker.io') return 'https://registry-1.docker.io';
  return `${isLoopback(registry) ? 'http' : 'https'}://${registry}`;
}

/** Whether a host, with or without a port, is this machine. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(host);
}
