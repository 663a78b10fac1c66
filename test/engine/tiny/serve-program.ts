// The program as the test's process runs it.
import { serveProgramToEngine } from '../../../infra/serve-program.ts';
import type { ServeProgram } from '../../../pulumi-provider/program-server.ts';
import { makeThings } from './make-things.ts';

export const serveProgram: ServeProgram = (options) =>
  serveProgramToEngine(options, ({ projectFolder, variables }) =>
    Promise.resolve(makeThings(projectFolder, variables)),
  );
