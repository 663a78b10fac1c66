// The program's door for `pulumi` itself, which runs it in a process of its own. Davit runs the same program in its own
// process: serve-program.ts.
import '../system/node-20.ts';
import * as pulumi from '@pulumi/pulumi';
import { runProgram } from './program.ts';

export default await runProgram({
  stack: pulumi.getStack(),
  projectFolder: pulumi.runtime.getRootDirectory(),
  providerFolder: process.cwd(),
  variables: process.env,
  signal: new AbortController().signal, // Pulumi ends the process instead
});
