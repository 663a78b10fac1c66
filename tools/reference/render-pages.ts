import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { z } from 'zod';
import { endpointFile } from '../../schemas/endpoint/endpoint-file.ts';
import { OUTPUT_FIELD } from '../../schemas/endpoint/refused-fields.ts';
import { kubernetesEnvironmentFile, localEnvironmentFile } from '../../schemas/environment/environment-file.ts';
import { codePath } from '../../system/code.ts';
import { makeJsonSchema } from './make-json-schema.ts';
import { listReferenceFields, type ReferenceField, renderFields } from './render-reference.ts';

const NOT_SUPPORTED = 'Not supported: ';
/** Fields whose example would be the same as that of the fields that replace them. */
const OLD_PLACES = ['rate_limits', 'config.traffic_config.routes[].served_model_name'];
const BELOW_OLD_PLACES = 'rate_limits[]';

/** Renders the reference of endpoint files. */
export function renderEndpointReference(): string {
  const example = readFileSync(codePath('tools', 'reference', 'endpoint.yaml'), 'utf8').trimEnd();
  const all = listReferenceFields(makeJsonSchema(endpointFile), [parse(example)]);
  const isRefused = ({ schema }: ReferenceField) => schema.not !== undefined || schema.deprecated === true;
  const fields = all.filter((f) => !isRefused(f) && !OLD_PLACES.includes(f.path) && f.parent !== BELOW_OLD_PLACES);
  const refused = all.filter((f) => isRefused(f) && f.parent !== BELOW_OLD_PLACES);
  return [
    '# Endpoint file reference',
    'Generated from `schemas/endpoint/endpoint-file.ts`. [Models](models.md) and [environments](environments.md) explain what the fields do; `npx davit show iris` prints every field of your file with its value, and where the value comes from.',
    'The file `endpoints/NAME.yaml` is the body of Databricks\' request "create serving endpoint". Every field outside of `davit` is one of Databricks, with the same name and the same values; those below `davit` are Davit\'s own. Any other field is an error.',
    `\`\`\`yaml\n${example}\n\`\`\``,
    renderFields(fields, { top: '## The file', level: '##' }),
    '## Old names',
    'Davit reads these under their new name. For the first three, `npx davit check` warns and `npx davit fmt` writes the new name.',
    renderTable(
      ['field', 'write instead'],
      [
        ...refused.filter((f) => f.schema.deprecated === true).map(renderRenamed),
        ['`config.traffic_config.routes[].served_model_name`', '`served_entity_name`'],
        ['`rate_limits`', '`ai_gateway.rate_limits`'],
      ],
    ),
    '## Fields of Databricks that Davit does not support',
    'They are errors, because the model would be served without what they ask for. `null` is accepted, and so is `enabled: false` for a feature that has a switch.',
    renderTable(
      ['field', 'why'],
      listWithReason(refused, (why) => why !== OUTPUT_FIELD),
    ),
    "## Fields of Databricks' answers",
    `Databricks writes them, so they are not part of a request: ${refused
      .filter(({ schema }) => schema.description === NOT_SUPPORTED + OUTPUT_FIELD)
      .map(({ path }) => `\`${path}\``)
      .join(', ')}. \`npx davit import FILE\` makes an endpoint file of an answer.`,
    '',
  ].join('\n\n');
}

function renderRenamed({ path, schema }: ReferenceField): readonly string[] {
  return [`\`${path}\``, `\`${(schema.description ?? '').replace(/^Deprecated name of /, '')}\``];
}

function listWithReason(refused: readonly ReferenceField[], isWanted: (why: string) => boolean) {
  return refused
    .filter(({ schema }) => schema.description?.startsWith(NOT_SUPPORTED))
    .map(({ path, schema }) => [`\`${path}\``, schema.description?.slice(NOT_SUPPORTED.length) ?? ''])
    .filter(([, why = '']) => isWanted(why));
}

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Renders the reference of environment files. Its examples are those of docs/environments.md. */
export function renderEnvironmentReference(): string {
  const page = readFileSync(codePath('docs', 'environments.md'), 'utf8');
  const examples = [...page.matchAll(/^```yaml\n(name: [^]*?)^```/gm)].map(([, text = '']) => parse(text) as unknown);
  const all = [...examples, ...MORE_EXAMPLES];
  return [
    '# Environment file reference',
    'Generated from `schemas/environment/`. [Environments](environments.md) explains what the fields do and has a file of each target; `npx davit show iris --env NAME` prints every field with its value, and where the value comes from.',
    'The file is `environments/NAME.yaml`. The environment `local` needs no file.',
    renderTarget('local', localEnvironmentFile, all),
    renderTarget('kubernetes', kubernetesEnvironmentFile, all),
    '',
  ].join('\n\n');
}

/** For fields that exclude those of the page's examples. */
const MORE_EXAMPLES: readonly unknown[] = [
  {
    identity: { kind: 'kubernetes', audience: 'davit' },
    hardware: { CPU: { tolerations: [{ key: 'team', operator: 'Equal', value: 'models' }] } },
  },
];

function renderTarget(target: string, schema: z.ZodType, examples: readonly unknown[]): string {
  const own = examples.filter((e) => MORE_EXAMPLES.includes(e) || (e as { target?: string }).target === target);
  const fields = listReferenceFields(makeJsonSchema(schema), own);
  return renderFields(fields, { top: `## target: ${target}`, level: '###' });
}
