import { type CheckedFiles, checkFiles } from '../../app/check-files.ts';
import type { Command } from '../command.ts';
import { pluralize } from '../../schemas/values/pluralize.ts';

export const check: Command = {
  summary: 'Check endpoint files: every mistake, with its line',
  usage: '[NAME|FILE|FOLDER…]',
  help: 'Reads files only: no model, no network. Without a name or a path: endpoints/ and environments/ of the project.\n\n  davit check iris\n  davit check endpoints/iris.yaml\n  davit check some/folder --json',
  options: {},
  args: { min: 0, max: Infinity },
  run: async (context) => {
    const checked = await checkFiles(context.args, { cwd: context.cwd, root: () => context.root });
    return { diagnostics: checked.diagnostics, result: { files: checked.files }, text: renderCount(checked) };
  },
};

function renderCount({ files, environments, diagnostics }: CheckedFiles): string {
  const counts = [
    ...(files.length > 0 ? [pluralize(files.length, 'endpoint file')] : []),
    ...(environments > 0 ? [pluralize(environments, 'environment file')] : []),
  ];
  if (counts.length === 0) return 'No file was checked';
  const wrong = new Set(diagnostics.filter((d) => d.severity === 'error').map((d) => d.file)).size;
  const checked = `${counts.join(' and ')} checked`;
  return wrong === 0
    ? `${checked}: all fine`
    : `${checked}: ${wrong} ${wrong === 1 ? 'file has' : 'files have'} errors`;
}
