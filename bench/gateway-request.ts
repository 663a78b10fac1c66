import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectSupervisor } from '../local/supervisor/start-supervisor.ts';
import type { ProbeRequest } from '../test/prober/probe-client.ts';
import type { BenchProject } from './bench-project.ts';

/** The token is valid for longer than any benchmark sends requests. */
const TOKEN_SECONDS = 3600;

/** The example's input as a request to the project's gateway, and the gateway's process id. */
export async function makeGatewayRequest({ root }: BenchProject): Promise<{
  readonly probe: ProbeRequest;
  readonly gatewayPid: number;
}> {
  const client = await connectSupervisor(root, 'local');
  const status = await client?.status();
  const url = status?.endpoints[0]?.url;
  if (!client || status?.pid === undefined || url === undefined)
    throw new Error('Cannot find the gateway: expected the endpoint to be deployed');
  const token = await client.makeShortToken(TOKEN_SECONDS);
  const body = await readExample(root);
  return { probe: { url, body, headers: { authorization: `Bearer ${token}` } }, gatewayPid: status.pid };
}

/** Reads the model's input example, which is sent to every server. */
export function readExample(root: string): Promise<string> {
  return readFile(join(root, 'models', 'iris', '2', 'serving_input_example.json'), 'utf8');
}
