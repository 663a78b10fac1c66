/** The variable by which the Pulumi program gets the images whose attestations were verified. */
const VARIABLE = 'DAVIT_ATTESTED_IMAGES';

/** Reference with tag → digest (`sha256:…`). */
export type AttestedImages = Readonly<Record<string, string>>;

/** Renders the variable. Without images it is empty, so that the child inherits none. */
export function renderAttestedImages(images: AttestedImages): Readonly<Record<string, string>> {
  return { [VARIABLE]: Object.keys(images).length === 0 ? '' : JSON.stringify(images) };
}

/** Parses the variable in the Pulumi program. */
export function parseAttestedImages(environment: Readonly<Partial<Record<string, string>>>): AttestedImages {
  const text = environment[VARIABLE];
  return text ? (JSON.parse(text) as AttestedImages) : {};
}
