import { type Command, COMMON_OPTIONS, type Option } from './command.ts';

/** The overview of all verbs. */
export function renderOverview(commands: Readonly<Record<string, Command>>): string {
  const width = Math.max(...Object.keys(commands).map((n) => n.length));
  const verbs = Object.entries(commands).map(([name, c]) => `  ${name.padEnd(width)}  ${c.summary}`);
  return [
    'davit VERB [NAME…] [OPTIONS]',
    '',
    'Serves the MLflow models that the files in endpoints/ name. Names are those of endpoints; without one, most verbs take all.',
    '',
    ...verbs,
    '',
    'davit VERB --help says more, davit --version says which version this is. Exit codes: 0 fine, 1 a file or a model is wrong, 2 wrong usage, 3 an outage or a fault of Davit.',
    '',
  ].join('\n');
}

/** The help of one verb. */
export function renderHelp(name: string, command: Command): string {
  const all = { ...command.options, ...COMMON_OPTIONS };
  const rows = Object.entries(all).map(([option, o]) => [renderOption(option, o), o.help] as const);
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    ['davit', name, command.usage, '[OPTIONS]'].filter(Boolean).join(' '),
    '',
    command.summary,
    ...(command.help ? ['', command.help] : []),
    '',
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    '',
  ].join('\n');
}

function renderOption(name: string, { short, value }: Option): string {
  return `${short ? `-${short}, ` : '    '}--${name}${value ? ` ${value}` : ''}`;
}
