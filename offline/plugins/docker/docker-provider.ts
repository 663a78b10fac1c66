import type { Provider } from '../../../pulumi-provider/provider.ts';
import { makeImageResource } from './image-resource.ts';

const SUPPORTED_CONFIGURATION = ['host', 'version', 'pluginDownloadURL'];

/** The resources of `@pulumi/docker` that Davit uses, made with the docker command line. */
export function makeDockerProvider(version: string): Provider {
  let host: string | undefined;
  return {
    version,
    configure: (config) => {
      const unknown = Object.keys(config).filter((name) => !SUPPORTED_CONFIGURATION.includes(name));
      if (unknown.length > 0)
        throw new TypeError(
          `Cannot configure Davit's stand-in for the provider "docker": ${unknown.join(', ')} is not supported, expected host`,
        );
      host = config['host'] || undefined;
    },
    resources: { 'docker:index/image:Image': makeImageResource(() => host) },
  };
}
