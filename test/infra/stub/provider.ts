// Stands in for local/provider.ts: notes what it is told in journal.txt at the project's root, and runs nothing.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ResourceType } from '../../../pulumi-provider/provider.ts';
import { serveProvider } from '../../../pulumi-provider/serve-provider.ts';
import type { LocalRevisionInputs, LocalRouteInputs } from '../../../schemas/environment/local-resources.ts';

const place = { root: '' };

const revision: ResourceType<LocalRevisionInputs, LocalRevisionInputs> = {
  replaces: (path) => !/^(bounds|autoscaling)\b/.test(path),
  create: ({ name, inputs }, { preview }) => {
    if (!preview) note(`create ${inputs.entity}`);
    if (!preview && inputs.environmentVars['BREAK']) throw new Error('Cannot start it: it breaks');
    return Promise.resolve({ id: name, outputs: inputs });
  },
  update: ({ inputs }, { preview }) => {
    if (!preview) note(`update ${inputs.entity} ${JSON.stringify(inputs.bounds)}`);
    return Promise.resolve(inputs);
  },
  read: ({ inputs, outputs }) => Promise.resolve({ inputs, outputs }),
  delete: ({ outputs }) => {
    note(`delete ${outputs.entity}`);
    return Promise.resolve();
  },
};

const route: ResourceType<LocalRouteInputs, LocalRouteInputs & { readonly url: string }> = {
  create: ({ name, inputs }, { preview }) => Promise.resolve({ id: name, outputs: turn(inputs, preview) }),
  update: ({ inputs }, { preview }) => Promise.resolve(turn(inputs, preview)),
  read: ({ inputs, outputs }) => Promise.resolve({ inputs, outputs }),
  delete: () => {
    note('delete route');
    return Promise.resolve();
  },
};

serveProvider({
  version: '1.0.0',
  configure: ({ root }) => void (place.root = root ?? ''),
  resources: { 'davit:local:Revision': revision, 'davit:local:Route': route },
});

function turn(inputs: LocalRouteInputs, preview: boolean) {
  const shares = inputs.entities.map((e) => `${e.name}=${String(e.trafficPercentage)}`);
  if (!preview) note(`route ${shares.join(' ')}`);
  return { ...inputs, url: `http://127.0.0.1/${inputs.endpoint}` };
}

function note(line: string): void {
  appendFileSync(join(place.root, 'journal.txt'), `${line}\n`);
}
