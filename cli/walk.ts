import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deployEndpoints } from '../app/deploy/deploy-endpoints.ts';
import { renderFailures, renderLoadReport } from '../app/send-load/render-load-report.ts';
import { sendLoad } from '../app/send-load/send-load.ts';
import { type EnvironmentRequest, openProjectForRequest } from '../app/project-request.ts';
import { openTarget } from '../app/targets/open-target.ts';
import type { Connection, Target } from '../app/targets/target.ts';
import { type Diagnostic, hasErrors } from '../schemas/diagnostic.ts';
import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import type { Environment } from '../schemas/environment/environment.ts';
import { findSandbox } from '../sandbox/sandbox.ts';
import { readEndpoint, readEnvironment } from '../schemas/read-project.ts';
import type { Command, Context, Outcome } from './command.ts';
import { makeRequest, projectPlace } from './request.ts';
import { preview } from './verbs/preview.ts';
import { validate } from './verbs/validate.ts';

const ENDPOINT = 'iris';
const ENVIRONMENT = 'local';
const FIRST = 'examples/first-version';
const CLIENTS = 2;
/** The clients must notice every failure, but leave the CPU to the model that starts. */
const PAUSE_MILLISECONDS = 10;

/** The workflow of `npm start`. */
export const walk: Command = {
  summary: 'Prove the example, deploy it, update it under load, and leave it serving',
  usage: '',
  help: '',
  options: {},
  args: { min: 0, max: 0 },
  run: runWalk,
};

/** One version of the example: the verbs' context, and the same as a request. */
interface Version {
  readonly context: Context;
  readonly request: EnvironmentRequest;
}

async function runWalk(given: Context): Promise<Outcome> {
  const all = await acceptExample(given);
  const environment = await requireEnvironment(all);
  const makeVersion = (context: Context): Version => ({ context, request: { ...makeRequest(context), environment } });
  const context = { ...all, args: [ENDPOINT] };
  const now = makeVersion(context);
  const before = makeVersion({ ...context, options: { ...all.options, endpoints: FIRST } });
  const target = openTarget(all.root, environment, all.signal);
  const engine = openProjectForRequest(now.request); // may have to be built for minutes; the models are proved meanwhile
  engine.catch(() => undefined);
  const inPlace = await isInPlace(target, now);
  const steps = new Steps(all, inPlace ? 3 : 6);

  steps.next('Prove both versions of the example model: lock, fresh virtualenv, prediction, signature');
  const proofs = [await validate.run(before.context), await validate.run(now.context)];
  steps.show(proofs.map((p) => p.text).join('\n'));
  const unproved = proofs.flatMap((p) => p.diagnostics);
  if (hasErrors(unproved)) return steps.end(unproved);
  await engine;

  steps.next(inPlace ? 'Preview what deploying would change' : 'Preview the first deployment');
  steps.show((await preview.run((inPlace ? now : before).context)).text);

  const deployed = inPlace
    ? await checkServing(target, now, steps)
    : await deployAndUpdate(target, { before, now }, steps);
  return steps.end(deployed, hasErrors(deployed) ? '' : await renderNextThings(target));
}

/** Without a sandbox, the example runs with the user's own rights: it is Davit's own, unlike the models of others. */
async function acceptExample(context: Context): Promise<Context> {
  const found = await findSandbox();
  if (!('why' in found)) return context;
  context.progress.say(`The example runs without a sandbox: ${found.why}. Other models are refused until there is one`);
  return { ...context, options: { ...context.options, 'without-sandbox': true } };
}

async function requireEnvironment(context: Context): Promise<Environment> {
  const { value } = await readEnvironment(projectPlace(context), ENVIRONMENT);
  if (value) return value;
  throw new Error(`Cannot read environments/${ENVIRONMENT}.yaml; npx davit check says what is wrong with it`);
}

async function isInPlace(target: Target, now: Version): Promise<boolean> {
  const { endpoints } = await target.readStatus();
  const wanted = (await requireEndpoint(now)).entities.map((e) => `${e.model.name} ${e.model.version}`);
  const found = endpoints.find((e) => e.name === ENDPOINT)?.entities.filter((e) => e.trafficPercentage !== undefined);
  return JSON.stringify(found?.map((e) => e.model)) === JSON.stringify(wanted);
}

async function checkServing(target: Target, now: Version, steps: Steps): Promise<readonly Diagnostic[]> {
  steps.next('Everything is in place already: check that it serves, and query it');
  const diagnostics = await deploy(now);
  if (hasErrors(diagnostics)) return diagnostics;
  await target.openAccess();
  steps.show(await queryOnce(await target.connect(), now));
  return diagnostics;
}

async function deployAndUpdate(
  target: Target,
  { before, now }: { readonly before: Version; readonly now: Version },
  steps: Steps,
): Promise<readonly Diagnostic[]> {
  steps.next('Deploy version 1');
  const first = await deploy(before);
  if (hasErrors(first)) return first;
  const connection = await target.connect();
  steps.next('Query it');
  const old = await queryOnce(connection, now);
  steps.show(old);

  steps.next(`Update to version 2 while ${CLIENTS} clients keep querying`);
  const body = await readExample(now);
  const clients = sendLoad(() => connection.query({ endpoint: ENDPOINT, entity: undefined, ...body }), CLIENTS, {
    pauseMilliseconds: PAUSE_MILLISECONDS,
  });
  const second = await deploy(now).finally(() => clients.stop());
  const report = await clients.done;
  if (hasErrors(second)) return second;
  steps.show(renderLoadReport(report));
  if (report.failed > 0) throw new Error(`Cannot update without downtime: ${renderFailures(report)}`);
  steps.next('Query it again');
  steps.show(`version 1 answered ${old}\nversion 2 answers  ${await queryOnce(connection, now)}`);
  return second;
}

async function deploy(version: Version): Promise<readonly Diagnostic[]> {
  const deployed = await deployEndpoints([await requireEndpoint(version)], version.request);
  return deployed.flatMap((d) => d.diagnostics);
}

async function requireEndpoint({ request }: Version): Promise<Endpoint> {
  const { value, diagnostics } = await readEndpoint(request.place, ENDPOINT);
  if (!value) throw new Error(diagnostics.map((d) => d.message).join('\n'));
  return value;
}

async function queryOnce(connection: Connection, version: Version): Promise<string> {
  const answer = await connection.query({ endpoint: ENDPOINT, entity: undefined, ...(await readExample(version)) });
  if (answer.status !== 200)
    throw new Error(`Cannot get an answer from "${ENDPOINT}": ${answer.status} ${answer.body}`);
  return answer.body.trim();
}

/** The input example of the model, as a request. */
async function readExample({ request }: Version) {
  const file = join(request.place.root, 'models', ENDPOINT, '2', 'serving_input_example.json');
  return { body: await readFile(file, 'utf8'), contentType: 'application/json' };
}

async function renderNextThings(target: Target): Promise<string> {
  const { host, token } = await target.openAccess();
  const url = `${host}/serving-endpoints/${ENDPOINT}/invocations`;
  const bearer = token ?? '$(npx davit token)';
  return [
    `It serves at ${url}. Three things to try next:`,
    '',
    ...(token === undefined
      ? ['1. Query it yourself:']
      : ['1. Query it yourself. The token is shown this once; npx davit token makes another:']),
    `     curl -H "Authorization: Bearer ${bearer}" -H 'Content-Type: application/json' \\`,
    `       -d @models/${ENDPOINT}/2/serving_input_example.json ${url}`,
    `2. Go back to version 1: set entity_version to "1" in endpoints/${ENDPOINT}.yaml, then`,
    `     npx davit lock ${ENDPOINT} && npx davit preview ${ENDPOINT} && npx davit up ${ENDPOINT}`,
    '3. Serve a model of your own: copy its MLflow folder to models/NAME/1 and describe it in endpoints/NAME.yaml, then',
    '     npx davit lock NAME && npx davit up NAME',
    '',
    'npx davit status shows what runs; npm stop takes it down.',
    '',
  ].join('\n');
}

/** Numbers the steps of the walk and prints their results and times on standard error as they happen. */
class Steps {
  readonly #context: Context;
  readonly #count: number;
  readonly #started = performance.now();
  #stepStarted = 0;
  #number = 0;

  constructor(context: Context, count: number) {
    this.#context = context;
    this.#count = count;
  }

  next(what: string): void {
    this.#endStep();
    this.#number += 1;
    this.#stepStarted = performance.now();
    this.#context.progress.say(`\n${this.#number}/${this.#count} ${what}`);
  }

  show(text: string): void {
    this.#context.progress.say(text.trimEnd().replaceAll(/^(?=.)/gm, '    '));
  }

  end(diagnostics: readonly Diagnostic[], text = ''): Outcome {
    this.#endStep();
    const seconds = (performance.now() - this.#started) / 1000;
    if (!hasErrors(diagnostics)) this.#context.progress.say(`\nDone in ${seconds.toFixed(0)} s`);
    return { diagnostics, result: { seconds: Math.round(seconds * 10) / 10 }, text };
  }

  #endStep(): void {
    if (this.#number > 0) this.show(`${((performance.now() - this.#stepStarted) / 1000).toFixed(1)} s`);
  }
}
