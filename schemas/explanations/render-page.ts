import { type DiagnosticCode, DIAGNOSTIC_CODES } from '../diagnostic-codes.ts';
import { type Explanation, type Stage, STAGES } from './explanation.ts';
import { EXPLANATIONS } from './explanations.ts';
import { STAGE_GUIDES } from './stages.ts';

/** Renders the page of a code, in Markdown. */
export function renderCodePage(code: DiagnosticCode): string {
  const explanation: Explanation = EXPLANATIONS[code];
  const { means, repair, example, changes = [], check = example.command, stage } = explanation;
  return (
    [
      `# ${code}`,
      `${DIAGNOSTIC_CODES[code]}. Stage: [${stage}](../diagnostics.md#${stage}).`,
      '## What it means',
      means,
      '## Example',
      ...Object.entries(example.files ?? {}).flatMap(([file, text]) => [
        `\`${file}\`:`,
        renderBlock(languageOf(file), text),
      ]),
      ...(example.code ? [renderBlock(example.code.language, example.code.text)] : []),
      renderBlock('text', `$ npx ${example.command}\n${example.says}`),
      '## Repair',
      repair,
      ...(changes.length > 0 ? [renderBlock('diff', changes.map(renderChange).join('\n'))] : []),
      '## Check',
      renderBlock(
        'sh',
        [check]
          .flat()
          .map((command) => `npx ${command}`)
          .join('\n'),
      ),
      '',
    ]
      .join('\n\n')
      .trimEnd() + '\n'
  );
}

/** Renders the section of a stage in the debug guide. `pages`: the path of the pages' folder; none for a terminal. */
export function renderStage(stage: Stage, pages?: string): string {
  const { does, look, failures } = STAGE_GUIDES[stage];
  const link = (code: string) => (pages === undefined ? code : `[\`${code}\`](${pages}/${code}.md)`);
  const codes = listCodes(stage);
  return [
    `## ${stage}`,
    does,
    `To see more:\n\n${look.map(([command, shows]) => `- \`${command}\`: ${shows}`).join('\n')}`,
    ...(codes.length > 0
      ? [`Codes:\n\n${codes.map((code) => `- ${link(code)}: ${DIAGNOSTIC_CODES[code]}`).join('\n')}`]
      : []),
    ...(failures.length > 0
      ? [`Other failures, and the way out:\n\n${failures.map(([seen, way]) => `- ${seen}: ${way}`).join('\n')}`]
      : []),
  ].join('\n\n');
}

/** Renders the debug guide with all codes, in Markdown. */
export function renderGuide(): string {
  return [
    '# When something fails',
    'Generated from `schemas/explanations/`. Every diagnostic has a code; codes are permanent. `npx davit explain CODE` prints the page of a code, and `npx davit explain STAGE` one section of this guide.',
    'An endpoint passes these stages from its file to an answer: check, fetch, lock, virtualenv and proof before a merge; image, schedule, load, predict and route at a deployment. Find the stage in which it stopped, the sentence that you see, and the way out.',
    ...STAGES.map((stage) => renderStage(stage, 'diagnostics')),
    '',
  ].join('\n\n');
}

/** The codes that a stage reports. */
function listCodes(stage: Stage): readonly DiagnosticCode[] {
  return (Object.keys(DIAGNOSTIC_CODES) as DiagnosticCode[]).filter((code) => EXPLANATIONS[code].stage === stage);
}

function renderBlock(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

function languageOf(file: string): string {
  return file.endsWith('.txt') ? 'text' : 'yaml';
}

function renderChange([file, from, to]: readonly [string, string, string]): string {
  const mark = (sign: string, text: string) =>
    text.trim() === ''
      ? []
      : text
          .replace(/^\n|\n$/g, '')
          .split('\n')
          .map((line) => `${sign} ${line}`);
  return [`--- ${file}`, ...mark('-', from), ...mark('+', to)].join('\n');
}
