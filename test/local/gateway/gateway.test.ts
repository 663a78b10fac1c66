import { expect, it } from 'vitest';
import { Gateway } from '../../../local/gateway/gateway.ts';
import type { GatewayBackend } from '../../../local/gateway/gateway-server.ts';

it('opens only one port when two first endpoints are added at once', async () => {
  const gateway = new Gateway({} as GatewayBackend, 'local');
  const [first, second] = await Promise.all([gateway.listen(0), gateway.listen(0)]);
  expect(second).toBe(first);
  expect(gateway.status).toEqual({ url: `http://127.0.0.1:${first}`, port: first, problem: undefined });
  await gateway.close();
});
