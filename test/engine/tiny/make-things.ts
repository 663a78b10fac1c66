import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as pulumi from '@pulumi/pulumi';
import type { ThingInputs } from './thing.ts';

class Thing extends pulumi.CustomResource {
  declare readonly path: pulumi.Output<string>;

  constructor(name: string, inputs: ThingInputs) {
    super('davit:tiny:Thing', name, {
      ...inputs,
      password: inputs.password && pulumi.secret(inputs.password),
      path: undefined,
    });
  }
}

/** Makes the things that the project's things.json names. */
export function makeThings(root: string, variables: Readonly<Partial<Record<string, string>>>) {
  if (variables['DAVIT_PREVIEW'] === 'true') void pulumi.log.info('a preview of davit');
  const things = JSON.parse(readFileSync(join(root, 'things.json'), 'utf8')) as Record<string, ThingInputs>;
  const made = Object.entries(things).map(([name, inputs]) => [name, new Thing(name, inputs).path] as const);
  return { paths: Object.fromEntries(made) };
}
