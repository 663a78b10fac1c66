import { expect, test } from 'vitest';
import { startAnswersBesideProof } from '../../../validation/comparison/answer-beside-proof.ts';
import type { RunnableVersion } from '../../../validation/comparison/predict-side-by-side.ts';
import { makeSubject } from '../../../validation/subject.ts';
import { makeEndpoint } from '../throw-away-project.ts';

const endpoint = makeEndpoint('e', { m: 'm/1' });
const subject = makeSubject(endpoint, endpoint.entities[0]!);

/** A version whose inputs cannot be read, because then a run would start. */
function makeVersion(services: RunnableVersion['services']): RunnableVersion {
  const model = { name: 'm', version: '1', digest: 'd', python_version: '3.11' };
  const signature = { inputs: null, outputs: null, params: null };
  return {
    ...{ subject, services, locked: { model, requirements: [], virtualenv: 'v', signature } },
    ...{ lock: { version: 1, entities: {}, virtualenvs: {} } as unknown as RunnableVersion['lock'] },
    get folder(): string {
      throw new Error('its inputs are read');
    },
  };
}

test('a proof that may reach services answers nothing more, because it tells how its run used each service', async () => {
  const start = (services: RunnableVersion['services']) =>
    startAnswersBesideProof(makeVersion([]), makeVersion(services), {});
  await expect(start([])).rejects.toThrow('its inputs are read');
  expect(await start([{ host: 'a.example', port: 443 }])).toBeUndefined();
});
