import type { PlainManifest } from '../plain-manifest.ts';

/** The fields of Knative's manifests that name an image. */
const IMAGE_FIELDS = new Set(['image', 'queue-sidecar-image']);

/** Replaces the image of each named program by its image of a mirror. */
export function replaceImages(manifest: PlainManifest, images: Readonly<Record<string, string>>): PlainManifest {
  return replaceInValue(manifest, images) as PlainManifest;
}

/** `gcr.io/knative-releases/knative.dev/serving/cmd/activator@sha256:…` → `activator` */
function readProgramName(image: string): string {
  const [path = image] = image.split('@');
  const last = path.split('/').at(-1) ?? path;
  return last.split(':')[0] ?? last;
}

function replaceInValue(value: unknown, images: Readonly<Record<string, string>>): unknown {
  if (Array.isArray(value)) return value.map((v) => replaceInValue(v, images));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, v]) => [
      key,
      IMAGE_FIELDS.has(key) && typeof v === 'string' ? (images[readProgramName(v)] ?? v) : replaceInValue(v, images),
    ]),
  );
}
