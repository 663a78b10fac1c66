import { describeEndpoint } from '../../app/describe-image.ts';
import type { Environment } from '../../schemas/environment/environment.ts';
import { type Command, type Context, ENDPOINTS_OPTION, ENVIRONMENT_OPTION, type Outcome } from '../command.ts';
import { textOption } from '../parse-arguments.ts';
import { makeRequest, outcomeOfErrors, readSelectedEnvironment } from '../request.ts';

export const sbom: Command = {
  summary: 'Print the bill of materials of an image, from its lock (CycloneDX 1.6)',
  usage: 'NAME',
  help: 'Lists the model, every package with its hashes, the model server and, with a Kubernetes environment, the base image.\n\n  davit sbom iris --env production > iris.cdx.json',
  options: {
    ...ENDPOINTS_OPTION,
    ...ENVIRONMENT_OPTION,
    entity: { type: 'string', value: 'NAME', help: 'The served entity; needed only if the endpoint has several' },
  },
  args: { min: 1, max: 1 },
  run: runSbom,
};

async function runSbom(context: Context): Promise<Outcome> {
  const environment = await readEnvironmentIfNamed(context);
  if ('diagnostics' in environment) return environment;
  const [name = ''] = context.args;
  const described = await describeEndpoint(makeRequest(context), {
    name,
    entity: textOption(context.options, 'entity'),
    environment: environment.value,
  });
  return { diagnostics: described.diagnostics, result: described.sbom ?? null, text: (described.text ?? '').trimEnd() };
}

async function readEnvironmentIfNamed(
  context: Context,
): Promise<{ readonly value: Environment | undefined } | Outcome> {
  if (textOption(context.options, 'environment') === undefined) return { value: undefined };
  const { value, diagnostics } = await readSelectedEnvironment(context);
  return value ? { value } : outcomeOfErrors(diagnostics);
}
