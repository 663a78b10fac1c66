import { codePath } from '../system/code.ts';

/** The model server's package. */
export const SERVER_SOURCES = codePath('runtime', 'davit_server');
/** The lock of the model server's front. */
export const FRONT_REQUIREMENTS = codePath('runtime', 'requirements.txt');
/** What runs inside the build, with the base image's own Python. */
export const SETTLE_SCRIPT = codePath('images', 'settle.py');
/** The version of Davit is there. */
export const PACKAGE_JSON = codePath('package.json');

/** Where things are in an image. Each layer has a folder of its own, so that none changes what another one has made. */
export const IN_IMAGE = {
  frontVirtualenv: '/server/virtualenv',
  runtime: '/server/runtime',
  virtualenv: '/virtualenv',
  model: '/model',
} as const;
