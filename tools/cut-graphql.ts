import {
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  type NamedTypeNode,
  type ObjectTypeDefinitionNode,
  type InterfaceTypeDefinitionNode,
  parse,
  print,
  visit,
} from 'graphql';

const BUILT_IN = ['ID', 'Int', 'String', 'Boolean', 'Float'];

/** Returns the selected types and fields of a GraphQL schema, with the complete types of their arguments. */
export function cutGraphql(schema: string, fields: Readonly<Record<string, readonly string[]>>): string {
  const all = parse(schema, { noLocation: true });
  const named = new Map(all.definitions.flatMap((d) => ('name' in d && d.name ? [[d.name.value, d] as const] : [])));
  const outputs = Object.entries(fields).map(([name, wanted]) => cutType(named.get(name), name, wanted, fields));
  const kept = new Map<string, DefinitionNode>(outputs.map((type) => [type.name.value, type]));
  for (const type of kept.values()) for (const name of listTypeNames(type)) keepType(name, { kept, named, fields });
  const document: DocumentNode = { kind: Kind.DOCUMENT, definitions: [...kept.values()] };
  return print(
    visit(document, { enter: (node) => ('description' in node ? { ...node, description: undefined } : node) }),
  );
}

type TypeWithFields = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode;

function cutType(
  definition: DefinitionNode | undefined,
  name: string,
  wanted: readonly string[],
  fields: Readonly<Record<string, readonly string[]>>,
): TypeWithFields {
  if (definition?.kind !== Kind.OBJECT_TYPE_DEFINITION && definition?.kind !== Kind.INTERFACE_TYPE_DEFINITION)
    throw new RangeError(`Cannot cut the contract: GitHub's schema has no type "${name}"`);
  const kept = wanted.map((field): FieldDefinitionNode => {
    const found = definition.fields?.find((f) => f.name.value === field);
    if (!found) throw new RangeError(`Cannot cut the contract: GitHub's "${name}" has no field "${field}"`);
    return { ...found, directives: [] };
  });
  const interfaces = definition.interfaces?.filter((i) => i.name.value in fields) ?? [];
  return { ...definition, directives: [], interfaces, fields: kept };
}

interface CutContext {
  readonly kept: Map<string, DefinitionNode>;
  readonly named: ReadonlyMap<string, DefinitionNode>;
  readonly fields: Readonly<Record<string, readonly string[]>>;
}

/** Keeps a referenced type, but only the selected members of a union. The map grows during the iteration. */
function keepType(name: string, { kept, named, fields }: CutContext): void {
  if (kept.has(name) || BUILT_IN.includes(name)) return;
  const found = named.get(name);
  if (!found) throw new RangeError(`Cannot cut the contract: GitHub's schema has no type "${name}"`);
  if (found.kind === Kind.OBJECT_TYPE_DEFINITION || found.kind === Kind.INTERFACE_TYPE_DEFINITION)
    throw new RangeError(`Cannot cut the contract: no field of the referenced type "${name}" is selected`);
  const members = found.kind === Kind.UNION_TYPE_DEFINITION ? found.types?.filter((t) => t.name.value in fields) : [];
  kept.set(name, found.kind === Kind.UNION_TYPE_DEFINITION ? { ...found, types: members ?? [] } : found);
}

function listTypeNames(definition: DefinitionNode): readonly string[] {
  const names: string[] = [];
  visit(definition, { NamedType: (node: NamedTypeNode) => void names.push(node.name.value) });
  return names;
}
