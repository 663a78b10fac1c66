import { expect, test } from 'vitest';
import type { Entity } from '../../../schemas/endpoint/endpoint.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import { DEFAULT_HARDWARE } from '../../../schemas/environment/default-hardware.ts';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';
import type { ProofWorkers } from '../../../schemas/lock/proof.ts';
import { checkMemory, checkMemoryInEnvironment } from '../../../validation/proof/check-memory.ts';

const GIBIBYTE = 2 ** 30;
const TEXT = 'name: a\nconfig:\n  served_entities:\n    - {name: m, entity_name: a, entity_version: "1"}\n';
const endpoint = parseEndpoint(TEXT, 'endpoints/a.yaml').endpoint!;
const entity: Entity = endpoint.entities[0]!;

function prove(mode: ProofWorkers['mode'], gibibytes: number) {
  const workers = { mode, found: ['2 threads'], count: 4, memoryBytes: gibibytes * GIBIBYTE };
  const proof = {
    ...{
      key: '',
      python: '3.11.7',
      sandboxed: true,
      sandboxLacks: [],
      stages: [],
      cases: [],
      mlflow: undefined,
      warnings: [],
      libraries: [],
    },
    ...{ peakMemoryBytes: 1, loadMemoryBytes: 1, workers },
  };
  return { proof, entities: [{ entity: 'm', model: 'a 1', stages: [], proof }] };
}

/** An environment whose CPU has so much memory. */
function environment(memory: string, per: 'unit' | 'replica') {
  return {
    target: 'kubernetes',
    name: 'small',
    hardware: { CPU: { ...DEFAULT_HARDWARE.CPU, memory, per } },
  } as unknown as KubernetesEnvironment;
}

test('a model that each worker loads must fit into the memory of a replica', () => {
  expect(checkMemory(entity, prove('separate', 16).proof)).toEqual([]);
  expect(checkMemory(entity, prove('separate', 17).proof)).toMatchObject([
    {
      code: 'memory-limit',
      severity: 'error',
      line: 4,
      message:
        'Cannot fit "m" into the memory of a replica: each of 4 workers loads the model (2 threads), which takes 4 × 4.3 GiB = 17 GiB, expected at most 4 × 4 GiB = 16 GiB, the memory of CPU',
      hint: 'Choose a larger workload_type, or davit.served_entities.m.workers: shared if forks can share the resources found',
    },
  ]);
});

test('a model that is loaded once has been proved with its memory', () => {
  expect(checkMemory(entity, prove('shared', 17).proof)).toEqual([]);
  expect(checkMemory(entity, prove('one', 17).proof)).toEqual([]);
});

test("an environment's own hardware counts there", () => {
  const check = (gibibytes: number, memory: string, per: 'unit' | 'replica') =>
    checkMemoryInEnvironment(endpoint, prove('separate', gibibytes), environment(memory, per));
  expect(check(4, '1Gi', 'unit')).toEqual([]);
  expect(check(4, '4Gi', 'replica')).toEqual([]);
  const card = { resource: 'nvidia.com/gpu', count: 1, model: 'a card' }; // one process has it
  const { hardware, ...rest } = environment('1Gi', 'replica');
  const withCard = { ...rest, hardware: { CPU: { ...hardware.CPU!, gpu: card } } };
  expect(checkMemoryInEnvironment(endpoint, prove('separate', 4), withCard)).toEqual([]);
  expect(check(4, '1000Mi', 'unit')).toMatchObject([{ code: 'memory-limit' }]);
  expect(check(4, '2Gi', 'replica')).toMatchObject([
    {
      message:
        'Cannot fit "m" into the memory of a replica in environment "small": each of 4 workers loads the model (2 threads), which takes 4 × 1 GiB = 4 GiB, expected at most 2 GiB, the memory of CPU',
      hint: 'Choose a larger workload_type or a smaller workload_size, or davit.served_entities.m.workers: one',
    },
  ]);
});
