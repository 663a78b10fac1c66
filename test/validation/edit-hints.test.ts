import { expect, test } from 'vitest';
import { renderEditHint } from '../../validation/subject.ts';
import { makeSubject } from '../../validation/subject.ts';
import { makeStandaloneSubject } from '../../validation/validate-model.ts';
import { makeEndpoint } from './throw-away-project.ts';

const endpoint = makeEndpoint('e', { m: 'm/1' }, { m: { requirements: { add: ['Docopt[a]==0.6.2'] } } });
const served = makeSubject(endpoint, endpoint.entities[0]!);
const alone = makeStandaloneSubject('m', { cwd: '/', addedRequirements: ['docopt==0.6.2'] });
const inConda = { ...alone, listFile: 'conda.yaml' } as const;
const list = 'davit.served_entities.m.requirements';
const end = 'in endpoints/e.yaml, then run npx davit lock e';

test.each([
  [served, { remove: 'docopt' }, `Remove "Docopt[a]==0.6.2" from ${list}.add ${end}`],
  [served, { remove: 'pandas' }, `Add "pandas" to ${list}.remove ${end}`],
  [served, { add: 'docopt==0.6.1' }, `Write "docopt==0.6.1" instead of "Docopt[a]==0.6.2" in ${list}.add ${end}`],
  [served, { add: 'x==1', remove: 'y' }, `Add "x==1" to ${list}.add and add "y" to ${list}.remove ${end}`],
  [alone, { remove: 'docopt' }, 'Remove "docopt==0.6.2" from the requirements that you added (-r)'],
  [alone, { add: 'x==1', remove: 'y' }, 'Add "x==1" to requirements.txt and remove "y" from requirements.txt'],
  [inConda, { add: 'x==1' }, 'Add "x==1" to the pip section of conda.yaml'],
])('a hint names the list that has the requirement', (subject, hint, text) => {
  expect(renderEditHint(subject, hint)).toBe(text);
});
