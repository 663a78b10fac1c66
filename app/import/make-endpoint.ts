import { type Diagnostic, makeError, makeWarning } from '../../schemas/diagnostic.ts';
import { endpointFile } from '../../schemas/endpoint/endpoint-file.ts';
import { OUTPUT_FIELD } from '../../schemas/endpoint/refused-fields.ts';
import { parseEndpoint } from '../../schemas/endpoint/parse-endpoint.ts';
import { listFields } from '../../schemas/yaml/list-fields.ts';
import type { Path } from '../../schemas/yaml/parsed-yaml.ts';
import { renderPath } from '../../schemas/yaml/render-issue.ts';
import type { ForeignEndpoint } from './foreign-endpoint.ts';
import {
  findNode,
  listOf,
  listUnresolved,
  makeMap,
  mapOf,
  MAX_SIZE,
  measure,
  renderScalar,
  type SourceNode,
  textOf,
  toPlain,
} from './source-node.ts';
import { renderEndpoint } from './render-endpoint-file.ts';
import { shapeBody } from './shape-body.ts';

export interface MadeEndpoint {
  readonly name: string;
  /** The endpoint file. Undefined if an endpoint file cannot express this endpoint. */
  readonly text: string | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Makes the text of an endpoint file. `folder`: the folder of endpoint files as the user types it. The diagnostics say
 * what is left out (with the place in the foreign file) and what is left to do (with the place in the new file).
 */
export function makeEndpoint(foreign: ForeignEndpoint, folder: string): MadeEndpoint {
  const shaped = measure(foreign.body) > MAX_SIZE ? foreign.body : shapeBody(foreign);
  const name = chooseName(shaped, foreign.key);
  if (measure(shaped) > MAX_SIZE) {
    const message = `Cannot import "${name}": its values are larger than ${MAX_SIZE} characters`;
    return { name, text: undefined, diagnostics: [makeError('not-imported', shaped.place, message)] };
  }
  const { node, diagnostics } = dropRefusedFields(shaped, name);
  const models = listModels(node);
  if (models.length > 0 && models.every((entity) => !mapOf(entity)?.has('entity_name'))) {
    const message = `Cannot import "${name}": it serves no registered model, expected entity_name and entity_version`;
    return { name, text: undefined, diagnostics: [...diagnostics, makeError('not-imported', node.place, message)] };
  }
  const named = makeMap([...(mapOf(node) ?? []), ['name', { place: node.place, value: name }]], node.place);
  const text = renderEndpoint(toPlain(named));
  const unresolved = listUnresolved(node).filter((n) => n !== mapOf(node)?.get('name'));
  return {
    name,
    text,
    diagnostics: [
      ...diagnostics,
      ...reportName(shaped, foreign.key, name),
      ...unresolved.map(reportUnresolved),
      ...parseEndpoint(text, `${folder}/${name}.yaml`).diagnostics.filter((d) => d.code !== 'unresolved-variable'),
    ],
  };
}

function listModels(node: SourceNode): readonly SourceNode[] {
  return listOf(mapOf(mapOf(node)?.get('config'))?.get('served_entities')) ?? [];
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/** The endpoint's own name, or its key in the foreign file if the name depends on a variable. */
function chooseName(node: SourceNode, key: string): string {
  const own = textOf(mapOf(node)?.get('name'));
  if (own !== undefined && NAME.test(own)) return own;
  const words = key.replaceAll(/[^A-Za-z0-9_-]+/g, '-').replace(/^[-_]+/, '');
  return words.slice(0, 63) || 'endpoint';
}

function reportName(node: SourceNode, key: string, name: string): readonly Diagnostic[] {
  const own = mapOf(node)?.get('name');
  if (!own || own.value === name) return [];
  const why = own.unresolved === undefined ? 'an endpoint cannot have this name' : own.unresolved;
  const message = `Cannot keep the name ${JSON.stringify(own.value)} of "${key}": ${why}. The file is named ${name}. Rename the file and \`name\` for another one`;
  return [makeError(own.unresolved === undefined ? 'not-imported' : 'unresolved-variable', own.place, message)];
}

function reportUnresolved(node: SourceNode): Diagnostic {
  const { place, unresolved = '' } = node;
  const text = renderScalar(node);
  const shown = text.length > 60 ? `${text.slice(0, 57)}…` : text;
  const message = `Cannot fill in ${JSON.stringify(shown)}: ${unresolved}`;
  return makeError('unresolved-variable', place, message, 'It is left in the endpoint file: write the value there');
}

interface Kept {
  readonly node: SourceNode;
  readonly diagnostics: readonly Diagnostic[];
}

/** Drops every field that an endpoint file cannot have, and reports it unless it says nothing. */
function dropRefusedFields(root: SourceNode, name: string): Kept {
  const checked = endpointFile.safeParse(toPlain(root), { reportInput: true });
  const dropped = (checked.success ? [] : checked.error.issues).flatMap(
    (issue): readonly (readonly [Path, string])[] => {
      const path = issue.path.filter((step) => typeof step !== 'symbol');
      if (issue.code === 'unrecognized_keys')
        return issue.keys.map((key) => [[...path, key], 'an endpoint file has no such field'] as const);
      return issue.code === 'custom' && issue.params?.['code'] === 'unsupported-field' ? [[path, issue.message]] : [];
    },
  );
  const reported = dropped.filter(([, why]) => why !== OUTPUT_FIELD);
  const silent = dropped.filter(([, why]) => why === OUTPUT_FIELD).map(([path]) => path);
  const paths = [...reported.map(([path]) => path), ...silent].map((path) => JSON.stringify(path));
  return {
    node: without(root, [], new Set(paths)),
    diagnostics: reported.map(([path, why]) => {
      const message = `Cannot import "${renderPath(path)}" of "${name}": ${why}`;
      return makeWarning('not-imported', findNode(root, path).place, message, 'It is left out');
    }),
  };
}

let refused: ReadonlySet<string> | undefined;

/** Removes the fields at the paths, and every refused field, which is switched off if no issue names it. */
function without(node: SourceNode, path: Path, paths: ReadonlySet<string>): SourceNode {
  refused ??= new Set(listFields(endpointFile).flatMap((f) => (f.honoured ? [] : [[...f.parent, f.name].join('.')])));
  const names = refused;
  const list = listOf(node);
  if (list) return { ...node, value: list.map((item, i) => without(item, [...path, i], paths)) };
  const map = mapOf(node);
  if (!map) return node;
  const kept = [...map].filter(([key]) => {
    const at = [...path, key];
    const field = at.map((step) => (typeof step === 'number' ? '[]' : step)).join('.');
    return !paths.has(JSON.stringify(at)) && !names.has(field);
  });
  return makeMap(
    kept.map(([key, child]) => [key, without(child, [...path, key], paths)]),
    node.place,
  );
}
