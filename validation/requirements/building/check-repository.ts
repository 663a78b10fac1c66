import { parseGitCommit } from '../../../schemas/lock/git-commit.ts';
import { quoteShell } from '../../../schemas/values/quote-shell.ts';
import { nameBuildWheels, type Subject } from '../../subject.ts';

/** What is wrong with a repository, and the repair. */
interface RepositoryFault {
  readonly why: string;
  readonly hint: string;
}

/** `git+https://HOST/PATH@REF#…` */
const GIT_HTTPS = /^git\+(https:\/\/[^@#\s]+)(?:@([^#\s]*))?(?:#.*)?$/i;
const PART_OF_HASH = /^[0-9a-f]{7,63}$/i;

/**
 * A repository is used where it names a whole commit, which is as fixed as a hash, and where the endpoint file allows to
 * build its package, or where there is none: a model named on the command line may be built. `buildElsewhere` is the other way.
 */
export function checkRepository(
  subject: Subject,
  { name, source }: { readonly name: string; readonly source: string },
  buildElsewhere: string,
): RepositoryFault | undefined {
  const [, address, ref = ''] = GIT_HTTPS.exec(source) ?? [];
  if (parseGitCommit(source)) {
    if (subject.alone || subject.entity.buildWheels.includes(name)) return undefined;
    const why = 'it is a commit of a repository, and building its wheel would run code of the package';
    const way = `Davit can build its wheel in the sandbox: add "${name}" to ${nameBuildWheels(subject)}`;
    return { why, hint: `${way}. Or b${buildElsewhere.slice(1)}` };
  }
  if (address === undefined)
    return {
      why: 'it is a repository, expected a wheel, or git+https:// with the whole hash of a commit',
      hint: buildElsewhere,
    };
  const why =
    ref === ''
      ? 'it names no commit of the repository, so what is installed could change'
      : PART_OF_HASH.test(ref)
        ? `it names only a part of the hash of a commit`
        : `it names a branch or a tag of the repository, which can be moved`;
  const listed = `git ls-remote ${quoteShell(address)}`;
  const way = subject.alone ? '' : `, and "${name}" in ${nameBuildWheels(subject)} to let Davit build its wheel`;
  return {
    why: `${why}, expected @ and the whole hash`,
    hint: `Write the commit that the model was tested with${way}: ${listed} shows those of branches and tags. Or b${buildElsewhere.slice(1)}`,
  };
}
