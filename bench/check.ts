import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codePath } from '../system/code.ts';
import { makeTemporaryFolder } from '../system/temporary-folder.ts';
import { type Benchmark, makeTimeFigures, repeatWork } from './benchmark.ts';
import { runTimed } from './run-timed.ts';

const TIMES = 5;
const FILES = 1000;
const SIDE = 'davit';

/** An endpoint file with a field of each kind. */
const makeFile = (name: string) => `name: ${name}
description: the chance that a customer leaves within a month
tags: [{ key: team, value: growth }]
config:
  served_entities:
    - name: churn-3
      entity_name: main.ml.churn
      entity_version: "3"
      workload_size: Small
      scale_to_zero_enabled: false
      environment_vars: { KEY: "{{secrets/team/key}}" }
  traffic_config: { routes: [{ served_entity_name: churn-3, traffic_percentage: 100 }] }
ai_gateway:
  rate_limits: [{ calls: 120, key: endpoint, renewal_period: minute }]
`;

export const check: Benchmark = {
  summary: `\`davit check\` of one endpoint file, and of ${FILES}`,
  note: `Target: at most 2 CPU s for ${FILES} files.`,
  run: async (bench) => {
    const root = makeTemporaryFolder('bench-check');
    const measure = (what: string, ...paths: readonly string[]) => {
      const command = [codePath('bin', 'davit.mjs'), 'check', ...paths];
      const options = { cwd: root, signal: bench.signal };
      return repeatWork(bench, { what, times: TIMES }, () => runTimed(process.execPath, command, options));
    };
    try {
      await mkdir(join(root, 'endpoints'));
      const names = Array.from({ length: FILES }, (_, i) => `e${i}`);
      await Promise.all(names.map((name) => writeFile(join(root, 'endpoints', `${name}.yaml`), makeFile(name))));
      return [
        ...makeTimeFigures('check, one file', SIDE, await measure('one file', 'endpoints/e0.yaml')),
        ...makeTimeFigures(`check, ${FILES} files`, SIDE, await measure(`${FILES} files`, 'endpoints')),
      ];
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  },
};
