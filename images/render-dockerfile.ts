import { IN_IMAGE } from './places.ts';

export interface DockerfileParts {
  /** By digest. */
  readonly base: string;
  /** Minor version: `3.11`. */
  readonly python: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Where the model server listens, in a container. */
const PORT = 8080;
/** Databricks' limit of a request's body. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** Nobody has this number: files belong to root, the server may read them. */
const USER = '65532:65532';

/**
 * What there is to write is in /tmp. Who looks up a user without a name there (torch does) gets one. A driver's
 * libraries come into the container of a GPU by the last one.
 */
const ENVIRONMENT = {
  HOME: '/tmp',
  USER: 'davit',
  LANG: 'C.UTF-8',
  PYTHONDONTWRITEBYTECODE: '1',
  NVIDIA_DRIVER_CAPABILITIES: 'compute,utility',
};

/**
 * `-I`: nothing that an endpoint's environment variables say to Python reaches the front. What follows the image's name
 * is added to these arguments.
 */
const ENTRYPOINT = [
  ...[`${IN_IMAGE.frontVirtualenv}/bin/python`, '-I', '-B', '-m', 'davit_server'],
  ...['--python', `${IN_IMAGE.virtualenv}/bin/python`, '--model', IN_IMAGE.model],
  ...['--host', '0.0.0.0', '--port', String(PORT), '--max-body', String(MAX_BODY_BYTES)],
];

/**
 * Renders the Dockerfile of a build context: what changes least comes first, so that a new model is one small layer. No
 * step needs a network or a shell, and what is in the context was installed and checked before. The first stage makes
 * the layers, the second one copies them whole: what a step leaves behind in other places stays out, times too.
 */
export function renderDockerfile({ base, python, labels }: DockerfileParts): string {
  const settle = (...args: readonly string[]) => `RUN ${JSON.stringify([`python${python}`, '/settle.py', ...args])}`;
  const lines = [
    `FROM ${base} AS layers`,
    'COPY settle.py /',
    'WORKDIR /layers/library',
    settle('--library', '/layers/library'),
    'COPY server/ /layers/server/',
    settle('/layers/server'),
    'COPY virtualenv/ /layers/virtualenv/',
    settle('/layers/virtualenv'),
    '',
    `FROM ${base}`,
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

/** A word that the builder takes for itself: nothing in it is a variable, an end or an escape. */
function quote(text: string): string {
  return `"${text.replaceAll(/[\u0000-\u001f\u007f]/g, ' ').replaceAll(/["\\$]/g, '\\$&')}"`;
}
