import { join } from 'node:path';

/** Supported inputs of `docker:index/image:Image`. */
export interface ImageInputs {
  /** `registry.example/models/iris:tag` */
  readonly imageName: string;
  readonly build?: BuildInputs;
  readonly registry?: RegistryLogin;
  readonly skipPush?: boolean;
  readonly buildOnPreview?: boolean;
}

export interface BuildInputs {
  readonly context?: string;
  readonly dockerfile?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly builderVersion?: 'BuilderV1' | 'BuilderBuildKit';
  readonly cacheFrom?: { readonly images?: readonly string[] };
  readonly platform?: string;
  readonly target?: string;
  readonly network?: string;
  readonly addHosts?: readonly string[];
  /** A digest of everything that the build could read, so that an edited file is a change. */
  readonly contextDigest?: string;
}

export interface RegistryLogin {
  readonly server?: string;
  readonly username?: string;
  readonly password?: string;
}

export interface ImageOutputs {
  readonly imageName: string;
  readonly baseImageName: string;
  readonly registryServer: string;
  readonly platform: string | undefined;
  readonly context: string;
  readonly dockerfile: string;
  /** `REPOSITORY@sha256:…` of the pushed image, else the image's id; undefined at preview. */
  readonly repoDigest: string | undefined;
}

/** The build with defaults for missing values. */
export function completeBuild(
  build: BuildInputs = {},
): BuildInputs & Required<Pick<BuildInputs, 'context' | 'dockerfile'>> {
  const context = build.context ?? '.';
  return { ...build, context, dockerfile: build.dockerfile ?? join(context, 'Dockerfile') };
}

/** `registry.example:5000/models/iris:tag` → `registry.example:5000/models/iris` */
export function parseRepository(imageName: string): string {
  return imageName.replace(/:[^:/]*$/, '');
}

/** The registry's host by Docker's own rule: a first part with a dot or a port, or localhost. */
export function parseRegistry(imageName: string): string {
  const [first = '', ...rest] = imageName.split('/');
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : 'docker.io';
}

/** The outputs that are known before the image is built. */
export function describeImage({ imageName, build, registry }: ImageInputs): ImageOutputs {
  const { context, dockerfile, platform } = completeBuild(build);
  return {
    imageName,
    baseImageName: parseRepository(imageName),
    registryServer: registry?.server ?? parseRegistry(imageName),
    platform,
    context,
    dockerfile,
    repoDigest: undefined,
  };
}
