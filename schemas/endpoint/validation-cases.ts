import { type Diagnostic, makeError, type SourceLocation } from '../diagnostic.ts';
import type { Locate, Path } from '../yaml/parsed-yaml.ts';
import { type NetworkAddress, parseNetworkAddress } from '../values/network-address.ts';
import type { EndpointFile } from './endpoint-file.ts';
import type { ContentType, ValidationFile } from './validation-file.ts';

/** An input that a model must predict in its proof and before it serves. */
export interface ValidationCase {
  readonly name: string;
  /** The path is relative to the project. */
  readonly input: { readonly data: unknown } | { readonly path: string };
  readonly contentType: ContentType;
  /** The expected predictions. Undefined: any answer that fits the signature. */
  readonly expected: { readonly value: unknown } | undefined;
  /** Source location of the input. */
  readonly place: SourceLocation;
}

/** A service that a model asks to reach in its proof. */
export interface WantedService extends NetworkAddress {
  /** Source location in the endpoint file. */
  readonly place: SourceLocation;
}

/** The name of the case whose fields are not below `cases`. */
const ONLY_CASE = 'default';

type CaseFile = Omit<ValidationFile, 'cases' | 'network'>;

/** Each case of a file with its name and its path. The fields beside `cases` are a case if there is any of them. */
function listCases(file: ValidationFile, at: Path): readonly (readonly [name: string, file: CaseFile, path: Path])[] {
  const { cases = {}, network, ...own } = file;
  const hasOwn = Object.keys(own).length > 0 || (Object.keys(cases).length === 0 && network === undefined);
  return [
    ...(hasOwn ? [[ONLY_CASE, own, at] as const] : []),
    ...Object.entries(cases).map(([name, value]) => [name, value, [...at, 'cases', name]] as const),
  ];
}

/** Fills in the defaults of an entity's cases, which checkValidation() has passed. */
export function completeValidation(
  file: ValidationFile | undefined,
  entity: string,
  locate: Locate,
): readonly ValidationCase[] {
  if (!file) return [];
  return listCases(file, ['davit', 'served_entities', entity, 'validation']).map(([name, value, path]) => {
    const { input_data: data, input_path: written, content_type: type, expect } = value;
    return {
      name,
      input: written === undefined ? { data } : { path: written },
      contentType: type ?? (written?.toLowerCase().endsWith('.csv') === true ? 'csv' : 'json'),
      expected: expect === undefined ? undefined : { value: expect },
      place: locate([...path, written === undefined ? 'input_data' : 'input_path']),
    };
  });
}

/** The services that a model asks to reach, each once. */
export function completeNetwork(
  file: ValidationFile | undefined,
  entity: string,
  locate: Locate,
): readonly WantedService[] {
  const wanted = (file?.network ?? []).flatMap((text, i): readonly WantedService[] => {
    const address = parseNetworkAddress(text);
    const place = locate(['davit', 'served_entities', entity, 'validation', 'network', i]);
    return address ? [{ ...address, place }] : [];
  });
  return wanted.filter((w, i) => wanted.findIndex((o) => o.host === w.host && o.port === w.port) === i);
}

/** Checks that every case has one input, and that the input can have the format. */
export function checkValidation(
  { davit }: EndpointFile,
  locate: Locate,
  wrong: readonly Path[],
): readonly Diagnostic[] {
  return Object.entries(davit?.served_entities ?? {}).flatMap(([entity, { validation }]) => {
    if (!validation || wrong.some((path) => path[2] === entity && path[4] === 'network')) return [];
    const at = ['davit', 'served_entities', entity, 'validation'];
    return listCases(validation, at).flatMap(([, value, path]) => checkCase(value, path, locate));
  });
}

function checkCase({ input_data: data, input_path: file, content_type: type }: CaseFile, path: Path, locate: Locate) {
  const name = path.join('.');
  if (data !== undefined && file !== undefined) {
    const message = `Cannot use both input_data and input_path in "${name}": expected one or the other`;
    return [makeError('conflicting-fields', locate([...path, 'input_path'], { key: true }), message)];
  }
  if (data === undefined && file === undefined) {
    const message = `Cannot find an input in "${name}": expected input_data or input_path`;
    return [makeError('missing-field', locate(path, { key: true }), message)];
  }
  if (type !== 'csv' || data === undefined || typeof data === 'string') return [];
  const message = `Cannot use input_data of "${name}" as csv: expected a text with a header line`;
  return [makeError('wrong-type', locate([...path, 'input_data']), message)];
}
