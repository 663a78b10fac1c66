import { sep } from 'node:path';
import type { EngineEvent, StepEventMetadata } from '@pulumi/pulumi/automation/index.js';
import { contentHash } from '../../schemas/values/names.ts';
import { redactValue } from './property-values.ts';

/** Steps after which a resource exists as the program declares it. */
const RESULTING_STEPS: readonly string[] = ['create', 'import', 'same', 'update', 'replace', 'create-replacement'];
const STACK = 'pulumi:pulumi:Stack';
/** The engine makes it itself; its only input is a version, which package-lock.json has too. */
const DEFAULT_PROVIDER = /::pulumi:providers:[^:]+::default(_|$)/;
/**
 * An image by digest. The digest is known only once the image is built, which may happen between two equal plans. The
 * tag identifies the content.
 */
const IMAGE_DIGEST = /@sha256:[0-9a-f]{64}$/;

/**
 * For each resource that will exist: the rest of its URN after stack and project → SHA-256, in hex, of its inputs. The
 * digest does not depend on what is deployed now, on the project's folder, or on whether the images are built. A secret
 * and a value that only the update will know each count as a placeholder.
 */
export function digestResources(events: readonly EngineEvent[], root: string): Readonly<Record<string, string>> {
  const steps = events.flatMap((e) => (e.resourcePreEvent ? [e.resourcePreEvent.metadata] : []));
  const wanted = steps.filter(
    (s) => RESULTING_STEPS.includes(s.op) && s.new?.custom && s.type !== STACK && !DEFAULT_PROVIDER.test(s.urn),
  );
  return Object.fromEntries(wanted.map((step) => [shortUrn(step), digestInputs(step, root)]));
}

/** `davit:index:Endpoint$davit:local:Revision::iris-1-3f9c2a71d0` */
function shortUrn({ urn }: StepEventMetadata): string {
  return urn.split('::').slice(2).join('::');
}

function digestInputs(step: StepEventMetadata, root: string): string {
  return contentHash(omitRoot(redactValue(step.new?.inputs ?? {}), root));
}

/**
 * Removes the checkout's folder, which providers receive, and values that depend on whether images are already built.
 */
function omitRoot(value: unknown, root: string): unknown {
  if (typeof value === 'string')
    return value === root || value.startsWith(root + sep) ? value.slice(root.length) : value;
  if (Array.isArray(value)) return value.map((v) => omitRoot(v, root));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, v]) => [key, key === 'image' && isBuilt(v) ? '[unknown]' : omitRoot(v, root)]),
  );
}

function isBuilt(value: unknown): boolean {
  return typeof value === 'string' && IMAGE_DIGEST.test(value);
}
