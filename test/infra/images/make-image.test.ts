import * as pulumi from '@pulumi/pulumi';
import { Provider } from '@pulumi/docker/provider.js';
import { expect, test } from 'vitest';
import { makeImage } from '../../../infra/images/make-image.ts';
import { SAMPLE_SETTINGS } from '../../images/sample-lock.ts';

test.each([
  [false, 'none'],
  [true, 'default'],
])('a build has a network only if a step of its Dockerfile downloads something: %j', async (needsNetwork, network) => {
  const registered: pulumi.runtime.MockResourceArgs[] = [];
  await pulumi.runtime.setMocks({
    newResource: (args) => {
      registered.push(args);
      return { id: args.name, state: args.inputs as object };
    },
    call: () => ({}),
  });
  makeImage({
    ...{ reference: 'ghcr.io/acme/models/iris:1', context: '.davit/images/1', root: '/p', providerFolder: '/code' },
    settings: SAMPLE_SETTINGS,
    provider: new Provider('docker', {}),
    needsNetwork,
  });
  await pulumi.runtime.disconnect();
  expect(registered.find(({ type }) => type === 'docker:index/image:Image')?.inputs).toMatchObject({
    build: { network },
  });
});
