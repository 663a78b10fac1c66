import { formatFiles, type FormattedFiles } from '../../app/format-files.ts';
import { pluralize } from '../../schemas/values/pluralize.ts';
import type { Command, Context, Outcome } from '../command.ts';

export const fmt: Command = {
  summary: 'Write endpoint and environment files in their canonical form; comments stay',
  usage: '[NAME|FILE|FOLDER…]',
  help: 'Fields in the order of the reference, two spaces, double quotes, new names for deprecated fields. Values and\ncomments stay, and a second run changes nothing. Without a name or a path: endpoints/ and environments/ of the project.\n\n  davit fmt\n  davit fmt iris\n  davit fmt endpoints/iris.yaml --check',
  options: { check: { type: 'boolean', help: 'Write nothing; exit code 1 if a file would change' } },
  args: { min: 0, max: Infinity },
  run: runFmt,
};

async function runFmt(context: Context): Promise<Outcome> {
  const checkOnly = context.options['check'] === true;
  const formatted = await formatFiles(context.args, { cwd: context.cwd, root: () => context.root, checkOnly });
  const changed = formatted.files.some((f) => f.changed);
  return {
    diagnostics: formatted.diagnostics,
    result: { files: formatted.files },
    text: renderFiles(formatted, checkOnly),
    failed: checkOnly && changed,
  };
}

function renderFiles({ files }: FormattedFiles, checkOnly: boolean): string {
  const changed = files.filter((f) => f.changed);
  if (files.length === 0) return 'No file was checked';
  const count = pluralize(files.length, 'file');
  if (changed.length === 0) return `${count} checked: already formatted`;
  const lines = changed.map(({ file }) => `${file}: ${checkOnly ? 'not formatted' : 'written'}`);
  const next = checkOnly ? ['Run npx davit fmt to write the canonical form'] : [];
  return [...lines, ...next].join('\n');
}
