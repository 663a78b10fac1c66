import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InitFailed } from '../../../pulumi-provider/resource-init-error.ts';
import type { Context, Provider, ResourceType } from '../../../pulumi-provider/provider.ts';
import type { ThingInputs, ThingOutputs } from './thing.ts';

const IN_PLACE = /^(size|labels|behave|password)\b/;

const thing: ResourceType<ThingInputs, ThingOutputs> = {
  check: ({ inputs }) => ({
    inputs,
    failures: inputs.content === '' ? [{ property: 'content', reason: 'Cannot be empty' }] : [],
  }),
  replaces: (path) => !IN_PLACE.test(path),
  async create({ name, inputs }, context) {
    return { id: name, outputs: await make(name, inputs, context) };
  },
  update: ({ id, inputs }, context) => make(id, inputs, context),
  async read({ id, inputs }) {
    const path = pathOf(id, inputs);
    if (!existsSync(path)) return undefined;
    const found = JSON.parse(await readFile(path, 'utf8')) as ThingInputs;
    return { inputs: found, outputs: { ...found, path } };
  },
  async delete({ outputs }) {
    await rm(outputs.path, { force: true });
  },
};

export const TINY_PROVIDER: Provider = { version: '1.0.0', resources: { 'davit:tiny:Thing': thing } };

async function make(id: string, inputs: ThingInputs, { preview, signal, log }: Context): Promise<ThingOutputs> {
  const path = pathOf(id, inputs);
  const outputs = { ...inputs, path };
  if (preview) return outputs;
  log.progress(`Making ${path}`);
  log.info(`Made with ${String(inputs.labels?.length ?? 0)} labels`);
  if (inputs.behave === 'wait') {
    await mkdir(inputs.folder, { recursive: true });
    await writeFile(path, JSON.stringify(inputs));
    await writeFile(join(inputs.folder, 'waiting'), '');
    await sleep(60_000, undefined, { signal }).catch(async () => {
      await writeFile(join(inputs.folder, 'stopped'), '');
      throw new Error('Cannot make it: stopped on the way');
    });
  }
  if (inputs.behave === 'refuse') throw new Error('Cannot make it: it does not want to');
  await mkdir(inputs.folder, { recursive: true });
  await writeFile(path, JSON.stringify(inputs));
  if (inputs.behave === 'unready') throw new InitFailed(id, outputs, ['it does not become ready']);
  return outputs;
}

function pathOf(id: string, inputs: ThingInputs): string {
  return join(inputs.folder, `${id}.json`);
}
