import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Virtualenv } from '../../python/ensure-virtualenv.ts';
import type { Policy } from '../../schemas/environment/policy.ts';
import { checkModel } from '../../validation/model/check-model.ts';
import { checkPickles, reportPickles } from '../../validation/pickles/check-pickles.ts';
import { resolvePolicy } from '../../validation/policy.ts';
import { makeSubject } from '../../validation/subject.ts';
import { makeEndpoint, makeProject } from './throw-away-project.ts';

test.each<[string, readonly Policy[], NodeJS.ProcessEnv, object]>([
  ['nobody says anything', [], {}, { missingExample: 'warning', pickles: 'warning', vulnerabilities: undefined }],
  ['an environment is strict', [{ missing_example: 'error' }], {}, { missingExample: 'error' }],
  ['an environment ignores it', [{ missing_example: 'ignore' }], {}, { missingExample: 'ignore' }],
  ['another one has the default', [{ missing_example: 'ignore' }, {}], {}, { missingExample: 'warning' }],
  ['another one is strict', [{ pickles: 'ignore' }, { pickles: 'error' }], {}, { pickles: 'error' }],
  ['the job is strict', [{ pickles: 'ignore' }], { DAVIT_PICKLES: 'error' }, { pickles: 'error' }],
  ['the job is mild', [{ pickles: 'error' }], { DAVIT_PICKLES: 'warning' }, { pickles: 'error' }],
  ['a level is stricter', [{ vulnerabilities: 'critical' }], { DAVIT_ADVISORIES: 'low' }, { vulnerabilities: 'low' }],
  ['one environment checks', [{ vulnerabilities: 'ignore' }, {}], {}, { vulnerabilities: undefined }],
  ['a warning is a policy', [{ vulnerabilities: 'warning' }, {}], {}, { vulnerabilities: 'warning' }],
])('resolvePolicy() takes the strictest when %s', (_what, environments, variables, expected) => {
  expect(resolvePolicy(environments, variables)).toMatchObject(expected);
});

test('resolvePolicy() refuses a word that it does not know', () => {
  expect(() => resolvePolicy([], { DAVIT_PICKLES: 'never' })).toThrow(
    'Cannot use DAVIT_PICKLES: it is "never", expected warning or error',
  );
});

test.each(['ignore', 'warning', 'error'] as const)(
  'each finding has the severity of the policy: %s',
  async (severity) => {
    const root = await makeProject({ 'm/1': 'i_no_example' });
    const folder = join(root, 'models/m/1');
    await writeFile(join(folder, 'requirements.txt'), 'mlflow==3.17.2\nscikit-learn\nskops==0.16.0\n');
    await writeFile(join(folder, 'conda.yaml'), 'channels:\n- defaults\ndependencies:\n- python=3.11.7\n');
    const policy = resolvePolicy(
      [
        {
          ...{ missing_example: severity, missing_signature: severity },
          ...{ unpinned_requirement: severity, defaults_channel: severity, pickles: severity },
        },
      ],
      {},
    );
    const endpoint = makeEndpoint('e', { m: 'm/1' });
    const subject = makeSubject(endpoint, endpoint.entities[0]!);
    const { diagnostics } = await checkModel(subject, folder, { root, policy });
    const found = [{ path: 'model.pkl', imports: ['os.system()'], incomplete: undefined }];
    const scanned = { folder, digest: '', virtualenv: {} as Virtualenv, prepare: () => Promise.reject(new Error('scans')) }; // prettier-ignore
    const pickles = severity === 'ignore' ? await checkPickles(subject, scanned, { policy }) : reportPickles(subject, found, severity); // prettier-ignore
    const codes = ['anaconda-channel', 'example-missing', 'pickle-import', 'requirement-unpinned', 'signature-missing'];
    expect([...diagnostics, ...pickles].map((d) => `${d.severity} ${d.code}`).sort()).toEqual(
      severity === 'ignore' ? [] : codes.map((code) => `${severity} ${code}`),
    );
  },
);
