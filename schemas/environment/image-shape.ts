import { z } from 'zod';
import { refuseCredentials, makeTextSchema, type TextProblem } from '../values/text-shape.ts';

const PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^(?:[a-z0-9][a-z0-9.-]*(?::\\d+)?/)?${PART}(?:/${PART})*$`);
const REGISTRY = new RegExp(`^[a-z0-9][a-z0-9.-]*(?::\\d+)?(?:/${PART})*$`);
const TAG = /:[\w][\w.-]{0,127}$/;
const DIGEST = /@sha256:[0-9a-f]{64}$/;
const BY_DIGEST = 'expected an image by its digest, REGISTRY/NAME@sha256:<64 hexadecimal digits>';
const LOGIN_HINT = 'Store them with docker login';

/** An image with its digest, because a tag alone can point to a different image later. */
export const pinnedImage = makeTextSchema(BY_DIGEST, checkImage, DIGEST);

/** The registry path that images are pushed to: `ghcr.io/acme/models`. */
export const imageRegistry = makeTextSchema('expected HOST/PATH, such as ghcr.io/acme/models', checkRegistry, REGISTRY);

/** Debian's rule for names. apt-get would remove `libgomp1-`, and read `libgomp1=1.0` and `libgomp1/sid` as versions. */
const PACKAGE = /^[a-z0-9][a-z0-9+.-]{0,98}[a-z0-9+]$/;
const PACKAGE_RULE = 'expected the name of a Debian package, such as libgomp1, without version or architecture';
export const MOST_PACKAGES = 100;

/** A Debian package: `libgomp1`. */
export const debianPackage = z.string().regex(PACKAGE, PACKAGE_RULE);

function checkImage(text: string): TextProblem | undefined {
  const name = text.replace(DIGEST, '').replace(TAG, '');
  if (DIGEST.test(text) && REPOSITORY.test(name)) return undefined;
  const secret = refuseCredentials(text, LOGIN_HINT);
  if (secret) return secret;
  const tagged = REPOSITORY.test(name) ? text.replace(/@.*/, '') : 'NAME:TAG';
  return { message: BY_DIGEST, hint: `docker buildx imagetools inspect ${tagged} prints the digest` };
}

function checkRegistry(text: string): TextProblem | undefined {
  const secret = refuseCredentials(text, LOGIN_HINT);
  if (secret) return secret;
  if (!REGISTRY.test(text))
    return { message: 'expected HOST/PATH in lowercase letters, without scheme or tag, such as ghcr.io/acme/models' };
  // Docker reads a first part without a dot or port as a Docker Hub user.
  const [host = ''] = text.split('/');
  if (host === 'localhost' || /[.:]/.test(host)) return undefined;
  return { message: 'expected it to begin with the host of the registry', hint: `On Docker Hub: docker.io/${text}` };
}
