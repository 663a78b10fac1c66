import type { Stage } from './explanation.ts';

/** A section of the debug guide. */
export interface StageGuide {
  /** What happens in the stage. */
  readonly does: string;
  /** Commands that show more, with what they show. */
  readonly look: readonly (readonly [command: string, shows: string])[];
  /** Failures that have no code of their own: what one sees, and what to do. */
  readonly failures: readonly (readonly [seen: string, way: string])[];
}

/** The debug guide: for every stage, where to look and the way out of what can fail there. */
export const STAGE_GUIDES: Readonly<Record<Stage, StageGuide>> = {
  check: {
    does: 'Reads the files of endpoints and environments, and the files of a model without running them.',
    look: [
      ['npx davit check', 'every mistake in every file, with its line'],
      ['npx davit show iris', 'every field with its value, and where the value comes from'],
    ],
    failures: [
      [
        '"Cannot find a project"',
        'Run the command in the folder with endpoints/ or below it, or add `--project FOLDER`. A new project begins with `npx davit init`.',
      ],
    ],
  },
  fetch: {
    does: 'Finds the model in the project, or downloads it once from MLflow, Unity Catalog, a bucket or a registry.',
    look: [
      ['npx davit validate --model models:/iris/2', 'the model alone, without an endpoint'],
      ['npx davit cache', 'the models that are kept here'],
    ],
    failures: [
      ['a download takes minutes every time', 'In CI, keep the folder of DAVIT_CACHE between runs.'],
      [
        'it works on your machine, not in CI',
        'The job lacks the credentials or the variable MLFLOW_TRACKING_URI; a directory under models/ is ignored by Git, or is a Git LFS pointer.',
      ],
    ],
  },
  lock: {
    does: "Resolves the model's requirements with uv to exact versions with hashes, for the Python that saved the model, on Linux.",
    look: [
      ['npx davit lock iris', 'which requirement cannot be satisfied, and what would'],
      ['git diff endpoints/iris.lock', 'which packages changed'],
      ['npx davit audit iris', 'known vulnerabilities of the locked packages'],
    ],
    failures: [
      [
        'the index cannot be reached',
        'Set UV_INDEX (or UV_DEFAULT_INDEX) to your index and HTTPS_PROXY to your proxy. Existing locks stay valid.',
      ],
      [
        'the review says that a lock is out of date',
        'Run `npx davit lock NAME` and commit it, or let the workflow commit it.',
      ],
      ['two branches changed the same lock', 'Take either side, then run `npx davit lock NAME`.'],
    ],
  },
  virtualenv: {
    does: 'Installs exactly the locked packages, once for each set of packages.',
    look: [
      ['npx davit validate iris', 'which package cannot be installed'],
      ['npx davit cache', 'the virtualenvs that are kept, and their size'],
    ],
    failures: [
      [
        '"No space left on device"',
        '`npx davit cache --prune` removes what was not used for a while; `DAVIT_CACHE=FOLDER` moves the cache.',
      ],
      [
        'a package has no wheel for Linux or this Python',
        'Require a version that has one, or build a wheel and log it in `code_paths`.',
      ],
    ],
  },
  proof: {
    does: 'Loads the model in a sandbox and predicts the input example that is saved with it. The result is kept, so an unchanged model is not proved again.',
    look: [
      ['npx davit validate iris', 'the line of the model that failed'],
      ['npx davit validate --model PATH', 'the model alone'],
      ['npx davit doctor', 'whether this machine has a sandbox, and what fixes it'],
    ],
    failures: [
      [
        'the model calls a service and fails',
        'Models are proved without network. Log what the model needs with it; let the answer not depend on the call.',
      ],
      ['"Read-only file system"', 'Write to the folder in TMPDIR; the files of a model are read-only.'],
      [
        'proved here, fails on the server',
        "The model depends on something of your machine: a variable (`environment_vars`), a system library (`images.packages`), or the processor's instructions.",
      ],
    ],
  },
  image: {
    does: "Builds one image for each set of packages and each model, only where the environment's registry has none. Only Kubernetes needs images.",
    look: [
      ['npx davit preview iris --env production', 'which images would be built'],
      ['npx davit up iris --env production', 'the step of the build that failed, and its last lines'],
      ['npx davit doctor --env production', 'Docker, its disk, and the login of the registry'],
    ],
    failures: [
      ['"Cannot connect to the Docker daemon"', 'Start Docker, or set `images.docker_host` of the environment.'],
      [
        '"the registry does not have …"',
        '`images.bases` names an image that was removed: write the digest of one that exists.',
      ],
      [
        '"unauthorized" or "denied"',
        'Sign in where Davit runs: `docker login REGISTRY`. In a workflow, give the job the right to write packages.',
      ],
      [
        'the build takes longer than its limit (`images.timeout_seconds`, an hour)',
        'Large models: raise the limit; what was uploaded is not uploaded again.',
      ],
      ['"no space left on device"', '`docker system prune`, or `images.docker_host` on a larger machine.'],
    ],
  },
  schedule: {
    does: 'Kubernetes finds a node for each replica and pulls the image.',
    look: [
      ['npx davit status iris --env production', 'why a replica waits'],
      ['npx davit preview iris --env production', 'whether the cluster has room, before anything changes'],
    ],
    failures: [
      [
        '"No node can run it: … Insufficient cpu, memory or nvidia.com/gpu"',
        'Add nodes, choose a smaller workload_type, or free room. If the old and the new version do not fit together: `davit: { rollout: recreate }`, with downtime.',
      ],
      [
        '"No node can run it: … node affinity or taint"',
        'Correct `hardware.TYPE.node_selector` and `tolerations` of the environment: `kubectl get nodes --show-labels`.',
      ],
      [
        'no GPU is free when it scales up from zero',
        'Capacity is not guaranteed at zero: set `scale_to_zero_enabled: false` for what must answer at once.',
      ],
      [
        '"Its image cannot be pulled"',
        'The nodes must reach the registry, and `images.pull_secret` must be a Secret of the namespace of the models.',
      ],
      [
        '"Its pods are refused: exceeded quota"',
        'Raise `quota` of the environment, or remove an endpoint. The hint names other causes: a LimitRange, pod security, a webhook.',
      ],
      [
        '"Its container cannot be started: secret … not found"',
        'Create the Secret in the namespace of the models; see `npx davit explain secret-missing`.',
      ],
    ],
  },
  load: {
    does: 'The model server starts, and each worker loads the model.',
    look: [
      ['npx davit logs iris --env production', 'what the model printed, the previous model server included'],
      ['npx davit validate iris', 'the same loading here'],
    ],
    failures: [
      [
        '"It exceeded its memory limit (OOMKilled)"',
        'Choose a larger workload_type, or `workers: shared`, or fewer units of concurrency.',
      ],
      ['CUDA out of memory', 'Choose a GPU type with more memory, or load the model in half precision.'],
      [
        'CUDA not available on a GPU type',
        'Require the build of the library with CUDA; move the model to the device in `load_context`.',
      ],
      [
        '"It was not ready within the deployment time of its hardware"',
        'Load faster, or raise `hardware.TYPE.deployment_seconds` of the environment.',
      ],
      [
        '"killed because it did not respond to its liveness probe"',
        'The model holds the interpreter for minutes while it loads: load in smaller steps, or set `workers: one`.',
      ],
      [
        'a replica that served is restarted and fails to load',
        'A model must load again at any time: no download from the network, no file that the first load consumed.',
      ],
    ],
  },
  predict: {
    does: 'A new revision must predict its example before it takes traffic. Then it answers requests.',
    look: [
      ['npx davit query iris --data \'{"inputs": [[1.5]]}\'', 'the answer, or the error of the model with its trace'],
      ['npx davit logs iris', 'the log of the model server'],
      ['npx davit status iris', 'requests, errors and latency'],
    ],
    failures: [
      [
        '400 BAD_REQUEST',
        'The body does not fit the signature; the message names the column. `GET /api/2.0/serving-endpoints/iris/openapi` describes what fits.',
      ],
      ['413', 'A body may have 16 MiB. Send fewer rows.'],
      [
        '429',
        'A rate limit, or more requests at a time than the maximum of concurrency. Retry with backoff, or raise `max_provisioned_concurrency`.',
      ],
      ['504', 'The prediction took longer than `time_limit_seconds`. See `npx davit explain time-limit`.'],
      [
        '500 with a trace',
        'The model raised an error for this input: reproduce it with `npx davit serve --model PATH --port 8080`.',
      ],
      [
        'the first request after a pause takes long',
        'The endpoint scaled to zero and starts again: set `scale_to_zero_enabled: false`.',
      ],
    ],
  },
  route: {
    does: 'When every revision is ready, one write moves the traffic; the old revisions finish their requests and are removed. If one does not become ready, nothing moves.',
    look: [
      ['npx davit status iris --env production', 'which version takes which share'],
      ['npx davit preview iris --env production', 'what a deployment would still change'],
    ],
    failures: [
      [
        '401 or 403',
        'The token is missing, has expired, or its owner lacks CAN_QUERY (`davit.permissions`). `npx davit token` makes one locally.',
      ],
      ['404', 'The name is wrong, or the endpoint is not deployed in this environment.'],
      [
        '"Cannot reach … through the gateway"',
        'The route was switched, but the entrance does not answer: `npx davit status`, then the load balancer, DNS and TLS of `gateway.url`.',
      ],
      [
        '"someone else is changing it"',
        'Another deployment runs. Wait for it; a lock that a killed one left is released by the next `davit up`.',
      ],
      ['the deployed version is bad', 'Revert the pull request: the version before is deployed the same way.'],
    ],
  },
};
