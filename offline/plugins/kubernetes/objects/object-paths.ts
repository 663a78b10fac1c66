import type { KubernetesApi } from '../../../../kubernetes/client/api.ts';
import type { KubernetesObject } from './kubernetes-object.ts';

type Kind = Pick<KubernetesObject, 'apiVersion' | 'kind'>;

interface ApiResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** The API paths of each kind, from the API server's discovery. Each version of a group is read once. */
export class ObjectPaths {
  readonly #api: () => Promise<KubernetesApi>;
  readonly #lists = new Map<string, Promise<readonly ApiResource[]>>();

  constructor(api: () => Promise<KubernetesApi>) {
    this.#api = api;
  }

  /** Undefined: the API server does not know the kind yet. */
  async isNamespaced(kind: Kind): Promise<boolean | undefined> {
    return (await this.#find(kind))?.namespaced;
  }

  /** Undefined: the API server does not know the kind yet. */
  async pathOf({ apiVersion, kind, metadata }: KubernetesObject): Promise<string | undefined> {
    const known = await this.#find({ apiVersion, kind });
    if (!known) return undefined;
    const inside = known.namespaced ? `/namespaces/${metadata.namespace || 'default'}` : '';
    return `${makeApiBase(apiVersion)}${inside}/${known.name}/${metadata.name}`;
  }

  /** An update may apply the definition of a new kind, so discovery is read again for an unknown kind. */
  async #find({ apiVersion, kind }: Kind): Promise<ApiResource | undefined> {
    const base = makeApiBase(apiVersion);
    const known = (await this.#lists.get(base)?.catch(() => []))?.find((r) => r.kind === kind);
    return known ?? (await this.#read(base)).find((r) => r.kind === kind);
  }

  #read(base: string): Promise<readonly ApiResource[]> {
    const reading = this.#api().then(async (api) => {
      const list = await api.get<{ readonly resources: readonly ApiResource[] }>(base);
      return list?.resources.filter((r) => !r.name.includes('/')) ?? [];
    });
    this.#lists.set(base, reading);
    return reading;
  }
}

function makeApiBase(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}
