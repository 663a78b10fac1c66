// The program's door for Davit, which runs it in its own process: the engine connects to this language host instead of
// starting one, which would start Node again and load the SDK again (0.9 of 2.6 CPU seconds of a preview).
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import languageGrpc from '@pulumi/pulumi/proto/language_grpc_pb.js';
import pb from '@pulumi/pulumi/proto/language_pb.js';
import { LANGUAGE_CALLS } from '../pulumi-provider/language-calls.ts';
import type { ServeProgram } from '../pulumi-provider/program-server.ts';
import { makePluginServer, makeUnaryCall } from '../pulumi-provider/serve-plugin.ts';
import { makeTemporaryFolder } from '../system/temporary-folder.ts';
import type { ProgramRun } from './program-run.ts';
import { runInStack } from './run-in-stack.ts';

/** The longest path of a Unix socket, on macOS. */
const MAX_SOCKET_PATH_BYTES = 103;

/** Serves the program on a socket in a folder of this user alone. */
export const serveProgram: ServeProgram = async ({ variables, signal: stop }) => {
  const end = new AbortController();
  const signal = stop ? AbortSignal.any([stop, end.signal]) : end.signal;
  const server = makePluginServer(languageGrpc.LanguageRuntimeService, {
    ...LANGUAGE_CALLS,
    run: makeUnaryCall((request: pb.RunRequest) => run(request, { variables, signal })),
  });
  const { folder, address } = makeAddress();
  const close = () => {
    end.abort(new Error('The engine has ended'));
    server.forceShutdown();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await bind(server, address);
  } catch (e) {
    close();
    throw e;
  }
  return { address, close };
};

async function run(
  request: pb.RunRequest,
  { variables, signal }: Pick<ProgramRun, 'variables' | 'signal'>,
): Promise<pb.RunResponse> {
  const ended = await runInStack(request, signal, async () => {
    const { runProgram } = await import('./program.ts');
    return runProgram({
      stack: request.getStack(),
      projectFolder: request.getInfo()?.getRootDirectory() ?? '',
      providerFolder: request.getPwd(),
      variables,
      signal,
    });
  });
  // The engine knows the reason already.
  return new pb.RunResponse().setBail(ended !== 'succeeded');
}

function makeAddress() {
  const name = (folder: string) => join(folder, 'program.sock');
  let folder = makeTemporaryFolder('program');
  if (Buffer.byteLength(name(folder)) > MAX_SOCKET_PATH_BYTES && tmpdir() !== '/tmp') {
    rmSync(folder, { recursive: true });
    folder = makeTemporaryFolder('program', '/tmp');
  }
  return { folder, address: `unix://${name(folder)}` };
}

function bind(server: grpc.Server, address: string): Promise<void> {
  return new Promise((done, fail) => {
    server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (e) => (e ? fail(e) : done()));
  });
}
