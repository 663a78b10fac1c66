/** A parsed version of PEP 440, without its local part. Parts compare in this order. */
interface Version {
  readonly epoch: number;
  readonly release: readonly number[];
  /** Phase before the release: -1 a development release alone, 0 a, 1 b, 2 rc, 3 none. */
  readonly phase: number;
  readonly pre: number;
  /** -1: no post-release. */
  readonly post: number;
  /** Infinity: no development release. */
  readonly dev: number;
}

const SHAPE =
  /^v?(?:(\d{1,9})!)?(\d{1,15}(?:\.\d{1,15}){0,20})(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d{0,15}))?(?:-(\d{1,15})|[-_.]?(post|rev|r)[-_.]?(\d{0,15}))?(?:[-_.]?(dev)[-_.]?(\d{0,15}))?(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?$/;
const PHASES: Readonly<Record<string, number>> = { a: 0, alpha: 0, b: 1, beta: 1, c: 2, rc: 2, pre: 2, preview: 2 };

/**
 * Parses a version by the rules of PEP 440. Ignores a local part (`2.1.0+cpu`), because it names a build of the same
 * source. Returns undefined for any other text.
 */
export function parseVersion(text: string): Version | undefined {
  const match = SHAPE.exec(text.trim().toLowerCase());
  if (!match) return undefined;
  const [, epoch = '0', release = '', phase, pre = '', implicitPost, post, postNumber = '', dev, devNumber = ''] =
    match;
  const isDev = dev !== undefined;
  const hasPost = implicitPost !== undefined || post !== undefined;
  return {
    epoch: Number(epoch),
    release: release.split('.').map(Number),
    phase: phase === undefined ? (isDev && !hasPost ? -1 : 3) : (PHASES[phase] ?? 3),
    pre: Number(pre || 0),
    post: hasPost ? Number((implicitPost ?? postNumber) || 0) : -1,
    dev: isDev ? Number(devNumber || 0) : Infinity,
  };
}

/** Compares two versions: negative if `a` is older. */
export function compareVersions(a: Version, b: Version): number {
  const length = Math.max(a.release.length, b.release.length);
  const key = ({ epoch, release, phase, pre, post, dev }: Version) => [
    epoch,
    ...Array.from({ length }, (_, i) => release[i] ?? 0),
    phase,
    pre,
    post,
    dev,
  ];
  const [x, y] = [key(a), key(b)];
  const i = x.findIndex((part, at) => part !== y[at]);
  return i < 0 ? 0 : (x[i] ?? 0) < (y[i] ?? 0) ? -1 : 1;
}
