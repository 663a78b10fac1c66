// The program's door for Davit, which runs it in its own process: the engine connects to this language host instead of
// starting one, which would start Node again and load the SDK again (0.9 of 2.6 CPU seconds of a preview).
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import languageGrpc from '@pulumi/pulumi/proto/language_grpc_pb.js';
import pb from '@pulumi/pulumi/proto/language_pb.js';
import { LANGUAGE_CALLS } from '../pulumi-provider/language-calls.ts';
import type { ProgramServer, ProgramServerOptions, ServeProgram } from '../pulumi-provider/program-server.ts';
import { makePluginServer, makeUnaryCall } from '../pulumi-provider/serve-plugin.ts';
import { makeTemporaryFolder } from '../system/temporary-folder.ts';
import type { ProgramRun } from './program-run.ts';
import { runInStack } from './run-in-stack.ts';

/** The longest path of a Unix socket, on macOS. */
const MAX_SOCKET_PATH_BYTES = 103;

/** Declares the resources of one run, and returns the outputs of the stack. */
type RunProgram = (run: ProgramRun) => Promise<object>;

/** Serves Davit's program on a socket in a folder of this user alone. */
export const serveProgram: ServeProgram = (options) =>
  serveProgramToEngine(options, async (run) => (await import('./program.ts')).runProgram(run));

/** Serves a program on such a socket. */
export async function serveProgramToEngine(
  { variables, signal: stop }: ProgramServerOptions,
  runProgram: RunProgram,
): Promise<ProgramServer> {
  const end = new AbortController();
  const signal = stop ? AbortSignal.any([stop, end.signal]) : end.signal;
  const server = makePluginServer(languageGrpc.LanguageRuntimeService, {
    ...LANGUAGE_CALLS,
    run: makeUnaryCall((request: pb.RunRequest) => answerRun(request, { variables, signal }, runProgram)),
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
}

async function answerRun(
  request: pb.RunRequest,
  { variables, signal }: Pick<ProgramRun, 'variables' | 'signal'>,
  runProgram: RunProgram,
): Promise<pb.RunResponse> {
  const ended = await runInStack(request, signal, () =>
    runProgram({
      stack: request.getStack(),
      projectFolder: request.getInfo()?.getRootDirectory() ?? '',
      providerFolder: request.getPwd(),
      variables,
      signal,
    }),
  );
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
