import { codePath } from '../system/code.ts';

/** The model server's package. */
export const SERVER_SOURCES = codePath('runtime', 'davit_server');
/** The lock of the model server's front. */
export const FRONT_REQUIREMENTS = codePath('runtime', 'requirements.txt');
/** The script that runs inside the build, with the base image's Python. */
export const SETTLE_SCRIPT = codePath('images', 'settle.py');

/** Paths in an image. Each layer has its own folder, so that no layer changes the files of another one. */
export const IMAGE_PATHS = {
  frontVirtualenv: '/server/virtualenv',
  runtime: '/server/runtime',
  virtualenv: '/virtualenv',
  model: '/model',
} as const;
