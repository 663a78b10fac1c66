import { IMAGE_PATHS } from './image-paths.ts';

export interface DockerfileInputs {
  /** Base image, by digest. */
  readonly base: string;
  /** Minor version: `3.11`. */
  readonly python: string;
  /** Debian packages that are installed over the base image. */
  readonly systemPackages?: readonly string[] | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** Port of the model server in the container. */
const PORT = 8080;
/** Databricks' limit for a request body. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** An unused user id. Files belong to root, and the server can only read them. */
const USER = '65532:65532';

/**
 * HOME is /tmp, the only writable folder. USER is set because libraries such as torch look up a user name, and this
 * user id has none. NVIDIA_DRIVER_CAPABILITIES makes the container runtime mount the GPU driver's libraries.
 */
const ENVIRONMENT = {
  HOME: '/tmp',
  USER: 'davit',
  LANG: 'C.UTF-8',
  PYTHONDONTWRITEBYTECODE: '1',
  NVIDIA_DRIVER_CAPABILITIES: 'compute,utility',
};

/**
 * `-I` makes the front ignore Python variables among the endpoint's environment variables. The container's arguments
 * are appended to these arguments.
 */
const ENTRYPOINT = [
  ...[`${IMAGE_PATHS.frontVirtualenv}/bin/python`, '-I', '-B', '-m', 'davit_server'],
  ...['--python', `${IMAGE_PATHS.virtualenv}/bin/python`, '--model', IMAGE_PATHS.model],
  ...['--host', '0.0.0.0', '--port', String(PORT), '--max-body', String(MAX_BODY_BYTES)],
];

/**
 * Renders the Dockerfile of a build context. The layers that change least come first, so that a new model adds one
 * small layer. No step needs a network or a shell, because the context contains installed and checked files. The stage
 * `layers` makes the layers and the last one copies them, so that the image has no other files or times of that stage.
 * With Debian packages, a stage before both installs them; only this one needs a network and the shell of the base.
 */
export function renderDockerfile({ base, python, systemPackages = [], labels }: DockerfileInputs): string {
  const settle = (...args: readonly string[]) => `RUN ${JSON.stringify([`python${python}`, '/settle.py', ...args])}`;
  const isExtended = systemPackages.length > 0;
  const start = isExtended ? 'system' : base;
  const lines = [
    ...(isExtended ? [`FROM ${base} AS system`, `RUN ${renderInstallation(systemPackages)}`, ''] : []),
    `FROM ${start} AS layers`,
    'COPY settle.py /',
    'WORKDIR /layers/library',
    settle('--library', '/layers/library'),
    'COPY server/ /layers/server/',
    settle('/layers/server'),
    'COPY virtualenv/ /layers/virtualenv/',
    settle('/layers/virtualenv'),
    '',
    `FROM ${start}`,
    ...Object.entries(ENVIRONMENT).map(([name, value]) => `ENV ${name}=${quote(value)}`),
    'WORKDIR /tmp',
    'COPY --from=layers /layers/library/ /',
    'COPY --from=layers /layers/server/ /',
    'COPY --from=layers /layers/virtualenv/ /',
    'COPY model/ /',
    `USER ${USER}`,
    `EXPOSE ${PORT}`,
    `ENTRYPOINT ${JSON.stringify(ENTRYPOINT)}`,
    ...Object.entries(labels).map(([name, value]) => `LABEL ${name}=${quote(value)}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** Pattern-Only: otherwise apt-get would read a name that no package has as a pattern (`lib.+`). */
const INSTALL =
  'DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o APT::Cmd::Pattern-Only=true';
/** What apt-get leaves behind, which no server reads. */
const REMOVE = 'rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log';

function renderInstallation(packages: readonly string[]): string {
  return ['apt-get update', `${INSTALL} ${packages.join(' ')}`, REMOVE].join(' && ');
}

/** Quotes a value for the Dockerfile, so that the builder reads no variable, quote or escape in it. */
function quote(text: string): string {
  return `"${text.replaceAll(/[\u0000-\u001f\u007f]/g, ' ').replaceAll(/["\\$]/g, '\\$&')}"`;
}
