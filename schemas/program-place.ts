import type { ProjectPlace } from './read-declared.ts';

/** Environment variables by which the Pulumi program and its providers learn where declarations are. */
const VARIABLES = { endpoints: 'DAVIT_ENDPOINTS', from: 'DAVIT_FROM', locks: 'DAVIT_LOCKS' } as const;

/** A place as environment variables; what is not set reads as an empty text, so that nothing is inherited. */
export function renderProgramPlace({ endpoints, from, locks }: ProjectPlace): Readonly<Record<string, string>> {
  return { [VARIABLES.endpoints]: endpoints, [VARIABLES.from]: from ?? '', [VARIABLES.locks]: locks ?? '' };
}

/** The way back, in the program: `root` is the folder of Pulumi.yaml. */
export function parseProgramPlace(root: string, environment: Readonly<Partial<Record<string, string>>>): ProjectPlace {
  const read = (name: keyof typeof VARIABLES) => environment[VARIABLES[name]] || undefined;
  return { root, endpoints: read('endpoints') ?? 'endpoints', from: read('from'), locks: read('locks') };
}
