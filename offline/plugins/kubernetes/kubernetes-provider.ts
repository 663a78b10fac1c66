import type { Provider } from '../../../pulumi-provider/provider.ts';
import { ClusterAccess } from './cluster-access.ts';
import { parseObjectType } from './objects/kubernetes-object.ts';
import { ObjectClient } from './objects/object-client.ts';
import { makeObjectResource } from './objects/object-resource.ts';
import { makePatchResource } from './objects/patch-resource.ts';
import { findReplacingSettings, readSettings, type ProviderSettings } from './settings.ts';

/** Makes the provider for any Kubernetes object and any patch, with the types of Pulumi's own provider. */
export function makeKubernetesProvider(version: string): Provider {
  let settings: ProviderSettings = readSettings({});
  const cluster = new ClusterAccess(() => settings);
  const client = new ObjectClient(() => cluster.connect());
  const place = { client, settings: () => settings, namespace: () => cluster.namespace() };
  return {
    version,
    configure: (config) => (settings = readSettings(config)),
    replaces: findReplacingSettings,
    resources: (type) => {
      const parsed = parseObjectType(type);
      return parsed && (parsed.patch ? makePatchResource : makeObjectResource)(parsed, place);
    },
  };
}
