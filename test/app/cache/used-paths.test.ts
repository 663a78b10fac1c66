import { expect, test } from 'vitest';
import { findPathsInTexts } from '../../../app/cache/used-paths.ts';

const ROOT = '/home/u/.cache/davit';

test('findPathsInTexts() finds every path that a text contains, wherever it ends', () => {
  const paths = ['virtualenvs/1', 'virtualenvs/12', 'models/2', 'models/3', 'node/v24/4'].map((p) => `${ROOT}/${p}`);
  const texts = [
    `python\0${ROOT}/virtualenvs/12/bin/python\0`,
    `PATH=${ROOT}/node/v24/4:/bin\0HOME=/home/u\0MODELS=${ROOT}/models`,
    `7f00-7f01 r-xp ${ROOT}${ROOT}/models/2/data/x.so`,
    '/home/u/.cache/other/models/3',
  ];
  const found = findPathsInTexts(texts, paths, ROOT);
  expect([...found].sort()).toEqual(paths.filter((path) => texts.some((text) => text.includes(path))).sort());
  expect(found.size).toBe(4);
});

test('findPathsInTexts() reads each text once: one search for each of 50,000 paths in 60 MB would take minutes', () => {
  const paths = Array.from({ length: 50_000 }, (_, i) => `${ROOT}/virtualenvs/${String(i).padStart(20, '0')}`);
  const line = `7f0012345000-7f0012346000 r-xp 00000000 08:01 ${ROOT}/lib/python3.11/site-packages/numpy/x.so\n`;
  const texts = [line.repeat(600_000), `${paths[7] ?? ''}/bin/python`];
  expect([...findPathsInTexts(texts, paths, ROOT)]).toEqual([paths[7]]);
});
