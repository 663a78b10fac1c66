import type { GitHub } from './connect.ts';
import { sendGraphql } from './send-graphql.ts';

const HEAD = `query ($owner: String!, $repo: String!, $ref: String!) {
  repository(owner: $owner, name: $repo) { ref(qualifiedName: $ref) { target { oid } } }
}`;

interface HeadResponse {
  readonly repository: { readonly ref: { readonly target: { readonly oid: string } | null } | null };
}

/** The commit that a branch (`refs/heads/main`) has at GitHub now; undefined: there is no such branch. */
export async function readBranchHead(github: GitHub, ref: string): Promise<string | undefined> {
  const { repository } = await sendGraphql<HeadResponse>(github, HEAD, { ...github.place, ref });
  return repository.ref?.target?.oid;
}

/** The name of a branch: `main` of `refs/heads/main`. */
export function parseBranchName(ref: string): string {
  return ref.replace(/^refs\/heads\//, '');
}
