import type { ImageSettings } from '../schemas/environment/kubernetes-environment.ts';
import { contentHash } from '../schemas/values/names.ts';
import { AUTHORISATION } from '../schemas/environment/platform-names.ts';
import { CODE_FOLDER } from '../system/code.ts';
import { collectSources, type SourceFile } from './collect-sources.ts';

/** The name and the files of the authorisation service's image. */
export interface AuthorisationImagePlan {
  /** `registry.example/models/davit-authorisation` */
  readonly repository: string;
  /** Repository with a tag, which is a hash of all files in the image. */
  readonly reference: string;
  /** The build context, relative to the project. */
  readonly context: string;
  readonly files: readonly SourceFile[];
}

const FOLDER = '/opt/davit';
const ENTRY = 'edge/service.ts';
const TAG_LENGTH = 12;

/** Plans the image from Davit's own sources. */
export async function planAuthorisationImage(settings: ImageSettings): Promise<AuthorisationImagePlan> {
  return makeAuthorisationImagePlan(await collectSources(CODE_FOLDER, ENTRY), settings);
}

/** Makes the plan. The same sources and base give the same tag on every machine. */
export function makeAuthorisationImagePlan(
  sources: readonly SourceFile[],
  { registry, node }: ImageSettings,
): AuthorisationImagePlan {
  const files = [
    { path: 'Dockerfile', text: makeDockerfile(node) },
    { path: 'package.json', text: '{"type":"module"}\n' },
    ...sources,
  ];
  const tag = contentHash(Object.fromEntries(files.map(({ path, text }) => [path, text]))).slice(0, TAG_LENGTH);
  const repository = `${registry}/${AUTHORISATION}`;
  return { repository, reference: `${repository}:${tag}`, context: `.davit/images/${AUTHORISATION}-${tag}`, files };
}

function makeDockerfile(node: string): string {
  return [
    `FROM ${node}`,
    `LABEL org.opencontainers.image.title="${AUTHORISATION}"`,
    `COPY . ${FOLDER}`,
    `WORKDIR ${FOLDER}`,
    'USER 65532:65532',
    `ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "${ENTRY}"]`,
    '',
  ].join('\n');
}
