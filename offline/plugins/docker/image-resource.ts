import { resolve } from 'node:path';
import type {
  CheckRequest,
  CheckResult,
  CheckFailure,
  Context,
  ResourceType,
} from '../../../pulumi-provider/provider.ts';
import { buildImage } from './build-image.ts';
import { digestContext } from './context-digest.ts';
import { completeBuild, describeImage, type ImageInputs, type ImageOutputs } from './image-inputs.ts';
import { readErrorMessage } from '../../../schemas/values/read-error-message.ts';

const SUPPORTED_INPUTS = ['imageName', 'build', 'registry', 'skipPush', 'buildOnPreview'];
/** The engine's marker for a value that only the update will know. */
const UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

/**
 * `docker:index/image:Image`. `host` is read when it is needed and becomes DOCKER_HOST; undefined: Docker's own choice.
 */
export function makeImageResource(host: () => string | undefined): ResourceType<ImageInputs, ImageOutputs> {
  const make = async (inputs: ImageInputs, context: Context) => {
    const outputs = describeImage(inputs);
    // The engine treats an output that is missing at preview as one that the update will know.
    if (context.preview && !(inputs.buildOnPreview === true && hasOnlyKnownValues(inputs))) return { id: '', outputs };
    const push = inputs.skipPush !== true && !context.preview;
    const { id, repoDigest } = await buildImage(inputs, { host: host(), push }, context);
    return { id, outputs: { ...outputs, repoDigest } };
  };
  return {
    check,
    create: ({ inputs }, context) => make(inputs, context),
    update: async ({ inputs }, context) => (await make(inputs, context)).outputs,
    read: ({ inputs, outputs }) => Promise.resolve({ inputs, outputs }),
    // As with Pulumi's own provider, an image outlives the stack, because others may run it.
    delete: () => Promise.resolve(),
  };
}

/** Adds a digest of the build's inputs. */
async function check({ inputs }: CheckRequest<ImageInputs>): Promise<CheckResult<ImageInputs>> {
  const failures: CheckFailure[] = Object.keys(inputs)
    .filter((name) => !name.startsWith('__') && !SUPPORTED_INPUTS.includes(name))
    .map((property) => ({
      property,
      reason: `Cannot use "${property}": Davit's stand-in does not support it, expected ${SUPPORTED_INPUTS.join(', ')}`,
    }));
  if (!inputs.imageName)
    failures.push({ property: 'imageName', reason: 'Cannot build an image without "imageName": expected a name' });
  const build = completeBuild(inputs.build);
  const completed = { ...inputs, build };
  if (failures.length > 0 || !hasOnlyKnownValues(build)) return { inputs: completed, failures };
  try {
    const contextDigest = await digestContext(resolve(build.context), resolve(build.dockerfile));
    return { inputs: { ...completed, build: { ...build, contextDigest } } };
  } catch (e) {
    const reason = `Cannot read the build context: ${readErrorMessage(e)}`;
    return { inputs: completed, failures: [{ property: 'build.context', reason }] };
  }
}

function hasOnlyKnownValues(value: object): boolean {
  return !JSON.stringify(value).includes(UNKNOWN);
}
