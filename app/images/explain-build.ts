import type { EngineFailure } from '../../engine/plan/failures.ts';
import { type ImageLog, isInformative } from './build-log.ts';

const LAST_LINES = 20;
/** BuildKit looks up every base image of a Dockerfile. */
const MISSING_BASE = /^\[internal\] load metadata for (\S+): .*not found$/;
const IMAGE = 'docker:index/image:Image';

/** The failed build or push of an image; undefined: something else failed. */
export function findFailedImage(
  failures: readonly EngineFailure[],
): { readonly image: string; readonly message: string } | undefined {
  const found = failures.find((f) => f.resource?.type === IMAGE);
  return found?.resource && { image: found.resource.name, message: found.message };
}

/** Names the failed build step and the reason, with the last lines of the log and its path. */
export function explainBuild(
  { image, message }: { readonly image: string; readonly message: string },
  { endpoint, environment, file, lines }: ImageLog & { readonly endpoint: string; readonly environment: string },
): string {
  const [said = '', ...rest] = message.split('\n');
  const failed = findFailedStep(lines) ?? findFailedStep(rest);
  const missing = failed && MISSING_BASE.exec(`${failed.step}: ${failed.reason}`)?.[1];
  const first =
    missing !== undefined
      ? `Cannot build ${image}: the registry does not have ${missing}, expected images.bases of ${environment} to name one that it has`
      : failed
        ? `Cannot build ${image}: ${failed.step} fails: ${failed.reason}`
        : said;
  const last = [lines, rest].find((some) => some.some(isInformative)) ?? [];
  return [
    first,
    ...last
      .filter(isInformative)
      .slice(-LAST_LINES)
      .map((line) => `    ${line}`),
    `The whole log is in ${file}; npx davit logs ${endpoint} --build shows it`,
  ].join('\n');
}

interface FailedStep {
  /** `[layers 3/6] RUN …` */
  readonly step: string;
  readonly reason: string;
}

/** BuildKit writes `#7 [2/3] RUN make` and later `#7 ERROR: …`. */
function findFailedStep(lines: readonly string[]): FailedStep | undefined {
  const errors = lines.flatMap((line) => {
    const [, number, reason] = /^(#\d+) ERROR: (.*)$/.exec(line) ?? [];
    return number === undefined || reason === undefined ? [] : [{ number, reason }];
  });
  const error = errors.at(-1);
  const step = error && lines.findLast((line) => line.startsWith(`${error.number} [`))?.slice(error.number.length + 1);
  return error && step !== undefined ? { step, reason: error.reason } : undefined;
}
