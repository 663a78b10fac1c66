import { expect, test } from 'vitest';
import type { Entity } from '../../../schemas/endpoint/endpoint.ts';
import { checkHardware } from '../../../validation/requirements/check-hardware.ts';
import { parseYanked, separateNotes } from '../../../validation/requirements/parse-yanked.ts';
import { makeSubject } from '../../../validation/subject.ts';
import { makeEndpoint } from '../throw-away-project.ts';

function check(workloadType: Entity['workloadType'], ...locked: readonly string[]) {
  const endpoint = makeEndpoint('e', { m: 'm/1' });
  const subject = makeSubject(endpoint, { ...endpoint.entities[0]!, workloadType });
  const packages = locked.map((text) => {
    const [name = '', version = ''] = text.split('==');
    return { name, version, hashes: [] };
  });
  return checkHardware(subject, packages).map(({ severity, message, hint, add }) => ({ severity, message, hint, add }));
}

test('checkHardware() names the megabytes of CUDA on a CPU, and the wheels for CPUs', () => {
  const cuda = ['nvidia-cublas-cu12==12.8.4.1', 'nvidia-cudnn-cu12==9.10.2.21', 'nvidia-nvtx-cu12==12.8.90'];
  expect(check('CPU', 'torch==2.9.1', ...cuda)).toEqual([
    {
      severity: 'warning',
      message:
        'Found packages for GPUs in the lock of m 1, and workload type CPU has none: nvidia-cudnn-cu12 9.10.2.21, nvidia-cublas-cu12 12.8.4.1, about 1000 MB to download',
      hint: 'Lock with UV_INDEX=https://download.pytorch.org/whl/cpu and UV_INDEX_STRATEGY=unsafe-best-match',
      add: 'torch==2.9.1+cpu',
    },
  ]);
  expect(check('CPU_LARGE', 'torch==2.9.1+cu128')[0]?.message).toContain('torch 2.9.1+cu128, about 600 MB');
  expect(check('CPU', 'nvidia-nccl-cu12==2.27.5')[0]?.hint).toContain('tensorflow-cpu');
  expect(check('CPU', 'torch==2.9.1+cpu', 'nvidia-ml-py==13.0', 'onnxruntime==1.20.1')).toEqual([]);
});

test('checkHardware() names packages that cannot use the GPU', () => {
  expect(check('GPU_SMALL', 'torch==2.9.1+cpu', 'onnxruntime==1.20.1', 'numpy==2.4.6')).toMatchObject([
    { severity: 'warning', add: 'torch==2.9.1' },
    { severity: 'warning', hint: 'Require onnxruntime-gpu, or choose a workload type without a GPU' },
  ]);
  expect(check('GPU_SMALL', 'torch==2.9.1', 'nvidia-cublas-cu12==12.8.4.1')).toEqual([]);
});

test('parseYanked() reads the reason, and what is not a failure is separated from it', () => {
  const stderr = [
    'Resolved 4 packages in 265ms',
    'warning: `numpy==2.4.0` is yanked (reason: "Backward compatibility bug")',
    'warning: `Foo_Bar==1.0` is yanked',
    'warning: something else',
    '  × No solution found',
  ].join('\n');
  const { notes, rest } = separateNotes(stderr);
  expect(rest).toBe('  × No solution found');
  expect(parseYanked(notes)).toEqual([
    { name: 'numpy', version: '2.4.0', reason: 'Backward compatibility bug' },
    { name: 'foo-bar', version: '1.0', reason: undefined },
  ]);
});
