import { afterEach, expect, test } from 'vitest';
import { ask, startServer, stopServers, until } from './start-server.ts';

afterEach(stopServers);

test('draining under load loses no request: each is answered, or refused with a 503 that closes the connection', async () => {
  const server = await startServer('m_obedient', { args: ['--workers', '2', '--queue', '64', '--linger', '0.3'] });
  const seen: { status: number; connection: string | null }[] = [];
  const client = async () => {
    for (;;) {
      const answer = await ask(server, 'sleep', 0.02); // rejects when a connection is cut: a lost request
      await answer.text();
      seen.push({ status: answer.status, connection: answer.headers.get('connection') });
      if (answer.status === 503) return; // asked to go elsewhere
    }
  };
  const clients = Array.from({ length: 8 }, client);
  await until(() => seen.length > 20);
  server.process.kill('SIGTERM');
  await Promise.all(clients);
  expect(await server.ended).toBe(0);
  const [answered, refused] = [seen.filter((s) => s.status === 200), seen.filter((s) => s.status === 503)];
  expect(answered.length + refused.length).toBe(seen.length);
  expect(refused).toEqual(Array.from({ length: 8 }, () => ({ status: 503, connection: 'close' })));
  expect(server.events.at(-1)).toMatchObject({ event: 'stopped', cut: 0 });
});
