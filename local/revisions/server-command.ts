import { mkdir } from 'node:fs/promises';
import { ensureFrontVirtualenv } from '../../python/ensure-front-virtualenv.ts';
import { ensureVirtualenv } from '../../python/ensure-virtualenv.ts';
import { VirtualenvError } from '../../python/virtualenv-error.ts';
import type { PythonOptions } from '../../python/find-uv.ts';
import { renderCases } from '../../schemas/lock/render-cases.ts';
import { codePath } from '../../system/code.ts';
import type { ServerCommand } from './model-server.ts';
import type { RevisionFolder } from './revision-folder.ts';
import { ServerFailed } from './model-server-errors.ts';

/** The folder that contains `davit_server`. */
const RUNTIME = codePath('runtime');
/** Grace period for requests in flight. Short, because a server ends only when it is idle or its parent has ended. */
const GRACE_SECONDS = 2;
/** Environment variables that a model receives. Excludes credentials of the user who ran `davit up`. */
const PASSED_VARIABLES =
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|TZ|LANG|LANGUAGE|LC_\w+|SSL_CERT_(FILE|DIR)|LD_LIBRARY_PATH|CUDA_\w+|NVIDIA_\w+)$/;

/** Makes the command that serves a revision, and makes the virtualenvs that are not in the cache. */
export async function prepareServer(revision: RevisionFolder, options: PythonOptions): Promise<ServerCommand> {
  const [model, front] = await Promise.all([ensureModelVirtualenv(revision, options), ensureFrontVirtualenv(options)]);
  await mkdir(revision.work, { recursive: true, mode: 0o700 }); // scripts that tidy a project remove empty folders
  const { workers, workerMode, nan, cases, timeLimitSeconds, environmentVars } = revision.revision;
  return {
    program: front.python,
    args: [
      ...['-m', 'davit_server', '--python', model.python, '--pycache', model.pycache, '--model', revision.model],
      ...['--workers', String(workers), '--time-limit', String(timeLimitSeconds), '--grace', String(GRACE_SECONDS)],
      ...(workerMode === undefined ? [] : ['--worker-mode', workerMode]),
      ...(nan === undefined ? [] : ['--nan', nan]),
      ...(cases === undefined ? [] : ['--cases', renderCases(cases)]),
    ],
    env: { ...selectPassedEnvironment(), PYTHONPYCACHEPREFIX: front.pycache, ...environmentVars, PYTHONPATH: RUNTIME },
    cwd: revision.work,
    virtualenvs: [model.folder, front.folder],
  };
}

async function ensureModelVirtualenv({ virtualenv, model }: RevisionFolder, options: PythonOptions) {
  try {
    return await ensureVirtualenv({ ...virtualenv, modelFolder: model }, options);
  } catch (e) {
    if (!(e instanceof VirtualenvError)) throw e;
    throw new ServerFailed('virtualenv', e.hint === undefined ? e.message : `${e.message}. ${e.hint}`);
  }
}

function selectPassedEnvironment(): Record<string, string> {
  const passed = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && PASSED_VARIABLES.test(name),
  );
  return Object.fromEntries(passed) as Record<string, string>;
}
