import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { CODE_PAGES, listDocuments } from './documents.ts';

const CODE = join(import.meta.dirname, '..', '..');
const documents = listDocuments();

test('the index names every page', () => {
  const index = documents.find(({ file }) => file === 'docs/README.md')!.text;
  const pages = documents
    .map(({ file }) => file)
    .filter((file) => !file.startsWith(CODE_PAGES) && file.startsWith('docs/'));
  expect(
    pages.filter((file) => file !== 'docs/README.md' && !index.includes(`(${file.slice('docs/'.length)})`)),
  ).toEqual([]);
});

test('every link leads to a file, and to a title in it', () => {
  const broken = documents.flatMap(({ file, text }) =>
    [...text.replaceAll(/```[^]*?```/g, '').matchAll(/\]\(([^()\s]+)\)/g)].flatMap(([, link = '']) => {
      if (/^[a-z]+:/.test(link)) return [];
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? file : normalize(join(dirname(file), path));
      if (!existsSync(join(CODE, target))) return [`${file}: ${link}`];
      if (anchor === undefined) return [];
      const titles = [...readFileSync(join(CODE, target), 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, t = '']) =>
        makeAnchor(t),
      );
      return titles.includes(anchor) ? [] : [`${file}: ${link}`];
    }),
  );
  expect(broken).toEqual([]);
});

test('the decisions of each section are dated, the newest first, and the index has every section', () => {
  const [index = '', ...sections] = readFileSync(join(CODE, 'DECISIONS.md'), 'utf8').split(/^## /m);
  for (const section of sections) {
    const [title = '', ...paragraphs] = section.trim().split(/\n{2,}/);
    expect(index).toContain(`](#${makeAnchor(title)})`);
    const dates = paragraphs.map(
      (p) => /^\*\*[^]+?\*\*\s\((\d{4}-\d\d-\d\d)/.exec(p)?.[1] ?? `no date: ${p.slice(0, 80)}`,
    );
    expect(dates, title).toEqual(dates.toSorted().reverse());
  }
});

/** As GitHub makes it. */
function makeAnchor(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-');
}

test('no document has both sides of a conflict, and the README is for the first five minutes', () => {
  expect(documents.filter(({ text }) => /^<{7} |^>{7} |^={7}$|^(?:> ){7}/m.test(text)).map(({ file }) => file)).toEqual(
    [],
  );
  const readme = documents.find(({ file }) => file === 'README.md')!.text;
  expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(150);
});
