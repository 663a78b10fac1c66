import { hasCredentials, maskSecrets } from '../../schemas/values/mask-secrets.ts';
import type { ModelProblem } from '../subject.ts';
import type { OptionLine } from './parse-requirements.ts';

const INDEX = /^(?:-i|--index-url|--extra-index-url|-f|--find-links|--trusted-host|--no-index)$/;
/** Davit does so whether or not a model asks for it: it installs wheels only, and by their hashes. */
const ALWAYS = /^--(?:only-binary|prefer-binary|require-hashes)$/;
const IGNORED_BECAUSE: Readonly<Record<string, string>> = {
  '--pre': 'a version before a release is installed only where a requirement names it',
  '--no-binary': 'Davit installs wheels only',
};
/** Where Davit, and so uv, takes packages from. DAVIT_INDEXES names what an earlier job of the workflow has used. */
const INDEX_VARIABLES = [
  'UV_INDEX',
  'DAVIT_INDEXES',
  'UV_DEFAULT_INDEX',
  'UV_EXTRA_INDEX_URL',
  'UV_INDEX_URL',
  'UV_FIND_LINKS',
];
const INDEX_HINT = 'set UV_INDEX, and its credentials, where Davit runs (docs/models.md, "Private packages")';

/** Reports an option of a requirements file that names another source or another way to install. */
export function reportIgnoredOption(
  { option, value, at }: OptionLine,
  variables: NodeJS.ProcessEnv = process.env,
): readonly ModelProblem[] {
  const written = `${option} ${maskSecrets(value)}`.trim();
  const report = (severity: ModelProblem['severity'], message: string, hint?: string): readonly ModelProblem[] => [
    { code: 'requirement-invalid', severity, message, hint, at },
  ];
  if (hasCredentials(value))
    return report(
      'error',
      `Cannot use "${written}": it contains credentials, expected none in a model`,
      `Rotate them, because everyone who can read the model has them. Log the model without them, and ${INDEX_HINT}`,
    );
  if (ALWAYS.test(option) || isConfigured(option, value, variables)) return [];
  if (INDEX.test(option))
    return report(
      'warning',
      `Ignoring "${written}": a model cannot choose where packages come from`,
      `If packages come from there, ${INDEX_HINT}`,
    );
  return report('warning', `Ignoring "${written}": ${IGNORED_BECAUSE[option] ?? 'Davit has no use for this option'}`);
}

/** Whether the machine's own settings have the index of the model. */
function isConfigured(option: string, value: string, variables: NodeJS.ProcessEnv): boolean {
  if (!/^(?:-i|--index-url|--extra-index-url|-f|--find-links)$/.test(option)) return false;
  const configured = INDEX_VARIABLES.flatMap((name) => (variables[name] ?? '').split(/\s+/));
  const wanted = normalizeIndex(value);
  return wanted !== undefined && configured.some((entry) => normalizeIndex(entry.replace(/^[\w.-]+=/, '')) === wanted);
}

/** Without credentials, and without the slash at its end. */
function normalizeIndex(text: string): string | undefined {
  if (!/^https?:/i.test(text) || !URL.canParse(text)) return undefined;
  const { host, pathname } = new URL(text);
  return `${host}${pathname.replace(/\/$/, '')}`;
}
