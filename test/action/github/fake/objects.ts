import { makeOid } from './branches.ts';
import type { World } from './world.ts';

/** The commit of a branch or a commit's own id. A branch that is not there is the base of a pull request. */
function resolveCommit({ branches, pulls }: World, name: string): string {
  return branches.head(name)?.oid ?? pulls.find((p) => p.base.ref === name)?.base.sha ?? name;
}

/** The differences between the commit where a head's branch began and the head, as GitHub lists them. */
export function listChangedFiles(world: World, base: string, head: string) {
  const { branches } = world;
  const [before, after] = [branches.files(branches.mergeBase(resolveCommit(world, base), head)), branches.files(head)];
  const all = [...new Set([...before.keys(), ...after.keys()])].sort();
  return all.flatMap((filename) => {
    const [old, sha] = [before.get(filename), after.get(filename)];
    if (old === sha) return [];
    return [
      { filename, status: old === undefined ? 'added' : sha === undefined ? 'removed' : 'modified', sha: sha ?? old },
    ];
  });
}

/** The messages of the commits of a comparison. */
export function listMessages(world: World, base: string, head: string): readonly string[] {
  return world.branches.messages(resolveCommit(world, base), head);
}

/** The file or the folder of an expression such as `COMMIT:endpoints`, as GraphQL has it; null: there is none. */
export function answerObject(world: World, expression: string) {
  const { branches } = world;
  const [, commit = '', path = ''] = /^([^:]+):(.*)$/s.exec(expression) ?? [];
  const files = branches.files(resolveCommit(world, commit));
  const answerBlob = (oid: string) => ({ __typename: 'Blob', oid, text: branches.read(oid) });
  const file = files.get(path);
  if (file !== undefined) return answerBlob(file);
  const inside = [...files].flatMap(([p, oid]) =>
    p.startsWith(`${path}/`) ? [[p.slice(path.length + 1), oid] as const] : [],
  );
  if (inside.length === 0) return null;
  const names = [...new Set(inside.map(([p]) => p.split('/')[0] ?? ''))].sort();
  const entries = names.map((name) => {
    const own = inside.find(([p]) => p === name);
    return { name, object: own ? answerBlob(own[1]) : { __typename: 'Tree', oid: makeOid(name), entries: [] } };
  });
  return { __typename: 'Tree', oid: makeOid(JSON.stringify(inside)), entries };
}
