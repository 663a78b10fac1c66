import type { LockedPackage } from '../../schemas/lock/lock.ts';
import { readOwn } from '../../schemas/values/read-own.ts';
import type { ModelProblem, Subject } from '../subject.ts';

/** About how many megabytes the wheels of CUDA's parts have, without the end of their names (`-cu12`). */
const CUDA_MEGABYTES: Readonly<Record<string, number>> = {
  'nvidia-cublas': 400,
  'nvidia-cuda-cupti': 10,
  'nvidia-cuda-nvcc': 40,
  'nvidia-cuda-nvrtc': 60,
  'nvidia-cuda-runtime': 2,
  'nvidia-cudnn': 600,
  'nvidia-cufft': 200,
  'nvidia-curand': 60,
  'nvidia-cusolver': 200,
  'nvidia-cusparse': 250,
  'nvidia-cusparselt': 200,
  'nvidia-nccl': 250,
  'nvidia-nvjitlink': 30,
  'nvidia-nvshmem': 130,
};
/** What a build of torch for CUDA has besides the parts of CUDA. */
const CUDA_TORCH_MEGABYTES = 600;
const CUDA_BUILD = /\+cu\d+/;
const TORCH_FAMILY = new Set(['torch', 'torchvision', 'torchaudio']);
/** Packages that only use a CPU, and what uses a GPU instead. */
const CPU_PACKAGES: Readonly<Record<string, string>> = {
  'faiss-cpu': 'faiss-gpu-cu12',
  onnxruntime: 'onnxruntime-gpu',
  'tensorflow-cpu': 'tensorflow[and-cuda]',
  'xgboost-cpu': 'xgboost',
};
const CPU_INDEX = 'https://download.pytorch.org/whl/cpu';
const AT = { file: 'requirements.txt', line: 1, column: 1 };
const SHOWN = 3;

/** Warns about packages that the hardware of the endpoint cannot use, or that cannot use it. */
export function checkHardware(subject: Subject, packages: readonly LockedPackage[]): readonly ModelProblem[] {
  if (subject.alone) return []; // no endpoint has chosen hardware
  return subject.entity.workloadType.includes('GPU') ? findCpuOnly(subject, packages) : findCuda(subject, packages);
}

function findCuda({ label, entity }: Subject, packages: readonly LockedPackage[]): readonly ModelProblem[] {
  const built = packages.filter((p) => CUDA_BUILD.test(p.version));
  const parts = packages.filter((p) => p.name.startsWith('nvidia-') && sizeOf(p) > 0);
  const found = [...parts.sort((a, b) => sizeOf(b) - sizeOf(a)), ...built];
  if (found.length === 0) return [];
  const torch = packages.find((p) => p.name === 'torch');
  const megabytes = found.reduce((sum, p) => sum + sizeOf(p), 0);
  const names = found.slice(0, SHOWN).map((p) => `${p.name} ${p.version}`);
  const list = found.length > SHOWN ? `${names.join(', ')} and ${found.length - SHOWN} more` : names.join(', ');
  const size = megabytes === 0 ? '' : `, about ${megabytes} MB to download`;
  const version = torch?.version.split('+')[0];
  return [
    {
      code: 'hardware-mismatch',
      severity: 'warning',
      message: `Found packages for GPUs in the lock of ${label}, and workload type ${entity.workloadType} has none: ${list}${size}`,
      hint:
        version === undefined
          ? 'Require packages for CPUs, such as tensorflow-cpu, or choose a workload type with a GPU'
          : `Lock with UV_INDEX=${CPU_INDEX} and UV_INDEX_STRATEGY=unsafe-best-match`,
      ...(version !== undefined && { add: `torch==${version}+cpu` }),
      at: AT,
    },
  ];
}

/** 0: unknown, and not counted. */
function sizeOf({ name, version }: LockedPackage): number {
  if (name === 'torch' && CUDA_BUILD.test(version)) return CUDA_TORCH_MEGABYTES;
  return readOwn(CUDA_MEGABYTES, name.replace(/-cu\d+$/, '')) ?? 0;
}

function findCpuOnly({ label, entity }: Subject, packages: readonly LockedPackage[]): readonly ModelProblem[] {
  return packages.flatMap(({ name, version }): readonly ModelProblem[] => {
    const other = readOwn(CPU_PACKAGES, name);
    const isCpuBuild = TORCH_FAMILY.has(name) && version.endsWith('+cpu');
    if (other === undefined && !isCpuBuild) return [];
    const plain = `${name}==${version.split('+')[0] ?? ''}`;
    return [
      {
        code: 'hardware-mismatch',
        severity: 'warning',
        message: `Found "${name}==${version}" in the lock of ${label}: it uses only CPUs, and workload type ${entity.workloadType} has a GPU`,
        ...(other === undefined
          ? { add: plain }
          : { hint: `Require ${other}, or choose a workload type without a GPU` }),
        at: AT,
      },
    ];
  });
}
