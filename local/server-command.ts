import { ensureFrontVirtualenv } from '../python/ensure-front-virtualenv.ts';
import { ensureVirtualenv } from '../python/ensure-virtualenv.ts';
import { VirtualenvError } from '../python/virtualenv-error.ts';
import type { PythonOptions } from '../python/find-uv.ts';
import { codePath } from '../system/code.ts';
import type { ServerCommand } from './model-server.ts';
import type { RevisionFolder } from './revision-folder.ts';
import { ServerFailed } from './server-failed.ts';

/** Where `davit_server` is, in Davit's own code. */
const RUNTIME = codePath('runtime');
/** Seconds for what is in flight; a server is only told to end when nothing is, or when its parent is gone. */
const GRACE_SECONDS = 2;
/** What of this process's environment a model may see: never a credential of whoever ran `davit up`. */
const PASSED =
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|TZ|LANG|LANGUAGE|LC_\w+|SSL_CERT_(FILE|DIR)|LD_LIBRARY_PATH|CUDA_\w+|NVIDIA_\w+)$/;

/** Makes the command that serves a revision; its virtualenvs are made when the cache lacks them. */
export async function prepareServer(revision: RevisionFolder, options: PythonOptions): Promise<ServerCommand> {
  const [model, front] = await Promise.all([ensureModelVirtualenv(revision, options), ensureFrontVirtualenv(options)]);
  const { workers, timeLimitSeconds, environmentVars } = revision.revision;
  return {
    program: front.python,
    args: [
      ...['-m', 'davit_server', '--python', model.python, '--pycache', model.pycache, '--model', revision.model],
      ...['--workers', String(workers), '--time-limit', String(timeLimitSeconds), '--grace', String(GRACE_SECONDS)],
    ],
    env: { ...passedEnvironment(), PYTHONPYCACHEPREFIX: front.pycache, ...environmentVars, PYTHONPATH: RUNTIME },
    cwd: revision.work,
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

function passedEnvironment(): Record<string, string> {
  const passed = Object.entries(process.env).filter(([name, value]) => value !== undefined && PASSED.test(name));
  return Object.fromEntries(passed) as Record<string, string>;
}
