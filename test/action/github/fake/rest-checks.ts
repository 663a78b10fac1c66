import { z } from 'zod';
import type { FakeCall } from './call.ts';
import type { Json } from './contract.ts';
import { find, Refusal } from './refusal.ts';
import type { CheckRun } from './world.ts';

const annotation = z.looseObject({ start_line: z.int(), end_line: z.int(), start_column: z.int().optional() });

const checkRun = z.looseObject({
  name: z.string().optional(),
  head_sha: z.string().optional(),
  external_id: z.string().optional(),
  status: z.string().optional(),
  conclusion: z.string().optional(),
  details_url: z.string().optional(),
  output: z
    .looseObject({
      title: z.string().optional(),
      summary: z.string(),
      text: z.string().optional(),
      annotations: z.array(annotation).optional(),
    })
    .optional(),
});

export function createCheckRun({ world, body, example }: FakeCall): Json {
  const { name = '', head_sha: sha = '', status = 'queued', external_id: externalId = null } = checkRun.parse(body);
  const run: CheckRun = {
    id: world.nextId(),
    sha,
    name,
    app: 'github-actions',
    status,
    conclusion: null,
    externalId,
    details: null,
    title: null,
    summary: null,
    text: null,
    annotations: [],
  };
  change(run, body);
  world.checkRuns.push(run);
  return answerCheckRun(run, example as Json);
}

export function updateCheckRun({ world, params, body, example }: FakeCall): Json {
  const run = find(world.checkRuns, (r) => r.id === Number(params['check_run_id']));
  change(run, body);
  return answerCheckRun(run, example as Json);
}

/** Adds annotations to the existing ones. Like GitHub, refuses columns in an annotation of several lines. */
function change(run: CheckRun, body: unknown): void {
  const { status, conclusion, details_url: details, output } = checkRun.parse(body);
  const added = output?.annotations ?? [];
  if (added.some((a) => a.start_line !== a.end_line && a.start_column !== undefined))
    throw new Refusal(422, 'Invalid request.\n\nstart_column is only for annotations of one line');
  run.annotations.push(...added);
  Object.assign(run, {
    ...(status !== undefined && { status }),
    ...(conclusion !== undefined && { status: 'completed', conclusion }),
    ...(details !== undefined && { details }),
    ...(output && { title: output.title ?? null, summary: output.summary, text: output.text ?? run.text }),
  });
}

export function answerCheckRun(run: CheckRun, example: Json): Json {
  const { title, summary, text, annotations } = run;
  const output = { ...(example['output'] as Json), title, summary, text, annotations_count: annotations.length };
  return {
    ...example,
    id: run.id,
    name: run.name,
    head_sha: run.sha,
    status: run.status,
    conclusion: run.conclusion,
    details_url: run.details,
    external_id: run.externalId ?? null,
    html_url: `https://github.com/checks/${run.id}`,
    app: { ...(example['app'] as Json), slug: run.app },
    output,
  };
}
