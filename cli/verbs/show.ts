import { selectNames } from '../../app/select-endpoints.ts';
import type { Setting } from '../../app/show/setting.ts';
import { type ResolvedSections, showEndpoint } from '../../app/show/show-endpoint.ts';
import { hasErrors } from '../../schemas/diagnostic.ts';
import { sanitizeText } from '../../schemas/values/sanitize-text.ts';
import {
  type Command,
  type Context,
  ENDPOINTS_OPTION,
  ENVIRONMENT_OPTION,
  environmentName,
  type Outcome,
} from '../command.ts';
import { projectPlace } from '../request.ts';

const HEADINGS: Readonly<Record<keyof ResolvedSections, string>> = {
  endpoint: 'endpoint',
  runtime: 'what each served entity gets',
  lock: 'locked',
  environment: 'environment',
};
const MAX_VALUE_WIDTH = 60;

export const show: Command = {
  summary: 'Print a resolved endpoint: every field with its value, and where the value comes from',
  usage: 'NAME',
  help: 'Reads files only. Each line has the field, its value and its source: a line of a file, or a default.\n\n  davit show iris\n  davit show iris --env production --json',
  options: { ...ENDPOINTS_OPTION, ...ENVIRONMENT_OPTION },
  args: { min: 1, max: 1 },
  run: runShow,
};

async function runShow(context: Context): Promise<Outcome> {
  const place = projectPlace(context);
  const environment = environmentName(context);
  const [name = ''] = await selectNames(place, context.args);
  const { sections, diagnostics } = await showEndpoint(place, name, environment);
  if (!sections) return { diagnostics, result: null, text: '' };
  return {
    diagnostics,
    result: { name, environment, ...toJson(sections) },
    text: renderSections(sections),
    failed: hasErrors(diagnostics),
  };
}

function toJson(sections: ResolvedSections): Readonly<Record<string, readonly Setting[]>> {
  const entries = Object.entries(sections) as [string, readonly Setting[]][];
  return Object.fromEntries(
    entries.map(([name, settings]) => [name, settings.map((s) => ({ ...s, value: s.value ?? null }))]),
  );
}

function renderSections(sections: ResolvedSections): string {
  const shown = Object.entries(HEADINGS).flatMap(([section, heading]) => {
    const settings = sections[section as keyof ResolvedSections];
    return settings.length === 0 ? [] : [`# ${heading}\n${renderSettings(settings)}\n`];
  });
  return shown.join('\n');
}

/** Three columns. A long value moves its source only on its own line. */
function renderSettings(settings: readonly Setting[]): string {
  const rows = settings.map(({ field, value, source }) => [field, renderValue(value), source] as const);
  const width = Math.max(...rows.map(([field]) => field.length));
  const values = Math.min(MAX_VALUE_WIDTH, Math.max(...rows.map(([, value]) => value.length)));
  return rows.map(([field, value, source]) => `${field.padEnd(width)}  ${value.padEnd(values)}  ${source}`).join('\n');
}

function renderValue(value: unknown): string {
  if (value === undefined || value === '' || (typeof value === 'object' && Object.keys(value ?? {}).length === 0))
    return '-';
  return sanitizeText(typeof value === 'string' ? value : JSON.stringify(value)).replaceAll('\n', ' ');
}
