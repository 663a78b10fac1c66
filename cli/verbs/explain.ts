import { type DiagnosticCode, DIAGNOSTIC_CODES } from '../../schemas/diagnostic-codes.ts';
import { STAGES } from '../../schemas/explanations/explanation.ts';
import { EXPLANATIONS } from '../../schemas/explanations/explanations.ts';
import { renderCodePage, renderStage } from '../../schemas/explanations/render-page.ts';
import { STAGE_GUIDES } from '../../schemas/explanations/stages.ts';
import { findNearest } from '../../schemas/yaml/suggest-field.ts';
import { type Command, UsageError } from '../command.ts';

export const explain: Command = {
  summary: 'Explain a diagnostic code or a stage: what it means, an example, the repair',
  usage: '[CODE|STAGE…]',
  help: `Without a name: all codes with one sentence each. Stages: ${STAGES.join(', ')}.\n\n  davit explain traffic-sum\n  davit explain schedule`,
  options: {},
  args: { min: 0, max: Infinity },
  run: ({ args }) => {
    const pages = args.map(explainName);
    const result = args.length === 0 ? DIAGNOSTIC_CODES : pages.map((p) => p.result);
    const text = args.length === 0 ? renderCodes() : pages.map((p) => p.text).join('\n');
    return Promise.resolve({ diagnostics: [], result, text });
  },
};

function explainName(name: string) {
  const wanted = name.toLowerCase();
  const stage = STAGES.find((s) => s === wanted);
  if (stage !== undefined) return { result: { stage, ...STAGE_GUIDES[stage] }, text: `${renderStage(stage)}\n` };
  const codes = Object.keys(DIAGNOSTIC_CODES) as DiagnosticCode[];
  const code = codes.find((c) => c === wanted);
  if (code !== undefined)
    return { result: { code, summary: DIAGNOSTIC_CODES[code], ...EXPLANATIONS[code] }, text: renderCodePage(code) };
  const near = findNearest(wanted, [...codes, ...STAGES]);
  const expected = near === undefined ? 'a code, which davit explain lists, or a stage' : `"${near}"`;
  throw new UsageError(`Cannot explain "${name}": there is no such code or stage, expected ${expected}`);
}

function renderCodes(): string {
  const width = Math.max(...Object.keys(DIAGNOSTIC_CODES).map((code) => code.length));
  return Object.entries(DIAGNOSTIC_CODES)
    .map(([code, sentence]) => `${code.padEnd(width)}  ${sentence}`)
    .join('\n');
}
