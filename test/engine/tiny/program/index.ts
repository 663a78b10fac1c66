// The program as the engine starts it.
import * as pulumi from '@pulumi/pulumi';
import { makeThings } from '../make-things.ts';

export const { paths } = makeThings(pulumi.runtime.getRootDirectory(), process.env);
