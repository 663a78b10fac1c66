import type { Provider } from '../../../provider/provider.ts';
import { ClusterAccess } from './cluster-access.ts';
import { parseType } from './objects/kubernetes-object.ts';
import { ObjectClient } from './objects/object-client.ts';
import { objectResource } from './objects/object-resource.ts';
import { patchResource } from './objects/patch-resource.ts';
import { findReplacing, readSettings, type Settings } from './settings.ts';

/** Makes the provider for any Kubernetes object and any patch, with the types of Pulumi's own provider. */
export function makeKubernetesProvider(version: string): Provider {
  let settings: Settings = readSettings({});
  const cluster = new ClusterAccess(() => settings);
  const client = new ObjectClient(() => cluster.connect());
  const place = { client, settings: () => settings, namespace: () => cluster.namespace() };
  return {
    version,
    configure: (config) => (settings = readSettings(config)),
    replaces: findReplacing,
    resources: (type) => {
      const parsed = parseType(type);
      return parsed && (parsed.patch ? patchResource : objectResource)(parsed, place);
    },
  };
}
