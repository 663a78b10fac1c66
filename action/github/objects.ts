import type { GitHub } from './connect.ts';
import { sendGraphql } from './send-graphql.ts';

const FOLDER = `query ($owner: String!, $repo: String!, $expression: String!) {
  repository(owner: $owner, name: $repo) {
    object(expression: $expression) { ... on Tree { entries { name object { ... on Blob { text } } } } }
  }
}`;

interface FolderResponse {
  readonly repository: {
    readonly object: {
      readonly entries?: readonly {
        readonly name: string;
        readonly object: { readonly text?: string | null } | null;
      }[];
    } | null;
  };
}

/** The entries of a folder at a commit: name → text; empty for what is no text. No such folder: no entries. */
export async function readFolder(github: GitHub, commit: string, path: string): Promise<ReadonlyMap<string, string>> {
  const variables = { ...github.place, expression: `${commit}:${path}` };
  const { repository } = await sendGraphql<FolderResponse>(github, FOLDER, variables);
  return new Map((repository.object?.entries ?? []).map(({ name, object }) => [name, object?.text ?? '']));
}

const OBJECTS_PER_REQUEST = 50;

/**
 * The ids of files or folders, each given as `COMMIT:path`. The same content has the same id. Missing ones are left out.
 */
export async function readObjectIds(
  github: GitHub,
  expressions: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (let start = 0; start < expressions.length; start += OBJECTS_PER_REQUEST) {
    const batch = expressions.slice(start, start + OBJECTS_PER_REQUEST);
    const variables = Object.fromEntries(batch.map((expression, i) => [`e${i}`, expression]));
    const { repository } = await sendGraphql<ObjectsResponse>(github, makeQuery(batch.length), {
      ...github.place,
      ...variables,
    });
    for (const [i, expression] of batch.entries()) {
      const object = repository[`o${i}`];
      if (object) found.set(expression, object.oid);
    }
  }
  return found;
}

/** The ids of files at a commit, by path relative to the project. Missing ones are left out. */
export async function readFileIds(
  github: GitHub,
  commit: string,
  paths: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const prefix = `${commit}:${github.project}`;
  const ids = await readObjectIds(
    github,
    paths.map((path) => prefix + path),
  );
  return new Map([...ids].map(([expression, id]) => [expression.slice(prefix.length), id]));
}

interface ObjectsResponse {
  readonly repository: Readonly<Record<string, { readonly oid: string } | null>>;
}

function makeQuery(count: number): string {
  const all = Array.from({ length: count }, (_, i) => i);
  const declared = all.map((i) => `, $e${i}: String!`).join('');
  const objects = all.map((i) => `o${i}: object(expression: $e${i}) { oid }`).join(' ');
  return `query ($owner: String!, $repo: String!${declared}) { repository(owner: $owner, name: $repo) { ${objects} } }`;
}
