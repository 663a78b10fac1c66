import { ImageContentError } from './image-content-error.ts';
import type { Descriptor } from './read-manifest.ts';
import { parseSafePath } from './safe-path.ts';

/** What a layer is: an archive, whose files below a folder count, or one file of the model. */
export type LayerFormat =
  { readonly kind: 'archive'; readonly below: string } | { readonly kind: 'file'; readonly path: string };

/** Of an image that a container runtime can start. */
const IMAGE_CONFIG = /^application\/vnd\.(?:oci\.image\.config\.v1|docker\.container\.image\.v1)\+json$/;
const ARCHIVE_TYPE = /[./]tar(?:\+(?:gzip|zstd))?$|\.tar\.gzip$/;
const ARCHIVE_NAME = /\.(?:tar|tar\.gz|tgz|tar\.zst)$/;
/** Where an image has the model, by the convention of KServe ("modelcar"). */
const MODELS_FOLDER = 'models/';
/** The names that `oras push` and the CNCF's ModelPack write. */
const NAME_ANNOTATIONS = ['org.opencontainers.image.title', 'org.cncf.model.filepath'];
/** `oras push` writes it for a folder, which it packs. */
const UNPACK_ANNOTATION = 'io.deis.oras.content.unpack';

/** Chooses how to read a layer, by the manifest alone. `count`: how many layers there are. */
export function chooseFormat(config: Descriptor, layer: Descriptor, count: number): LayerFormat {
  if (IMAGE_CONFIG.test(config.mediaType)) return { kind: 'archive', below: MODELS_FOLDER };
  const notes = layer.annotations ?? {};
  const name = NAME_ANNOTATIONS.map((key) => notes[key]).find((value) => value !== undefined);
  const isArchive = ARCHIVE_TYPE.test(layer.mediaType);
  // oras gives every file the type of an archive.
  const isPackedModel = count === 1 && ARCHIVE_NAME.test(name ?? '');
  const isFolder = notes[UNPACK_ANNOTATION] === 'true' || notes['org.cncf.model.filepath'] !== undefined;
  if (isPackedModel || (isArchive && (name === undefined || isFolder))) return { kind: 'archive', below: '' };
  const path = name === undefined ? undefined : parseSafePath(name, '');
  if (path === undefined || path === '')
    throw new ImageContentError(`a layer of it has no name and is no archive (${layer.mediaType.slice(0, 100)})`);
  return { kind: 'file', path };
}
