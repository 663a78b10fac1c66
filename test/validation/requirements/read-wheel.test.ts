import { expect, test } from 'vitest';
import { parseMetadata, renderMetadataSettings } from '../../../validation/requirements/read-wheel.ts';

const HEAD = 'Metadata-Version: 2.1\nName: Spacy_Model\nVersion: 3.7\nRequires-Python: >=3.8\n';

test('parseMetadata() reads what a wheel requires, and no address of an extra', () => {
  const read = parseMetadata(
    `${HEAD}Provides-Extra: dev\r\nRequires-Dist: spacy (>=3.7,<4)\nrequires-dist: numpy>=1.9 ;\n\tpython_version < "3.12"\nRequires-Dist: tool @ git+https://example.com/t ; extra == 'dev'\n\nRequires-Dist: text of the description @ x\n`,
  );
  expect(read).toEqual({
    name: 'spacy-model',
    requires: ['spacy (>=3.7,<4)', 'numpy>=1.9 ; python_version < "3.12"'],
    extras: ['dev'],
    python: '>=3.8',
  });
  expect('why' in read ? '' : renderMetadataSettings([read])).toBe(
    `[[dependency-metadata]]\nname = "spacy-model"\nrequires-dist = ["spacy (>=3.7,<4)", "numpy>=1.9 ; python_version < \\"3.12\\""]\nprovides-extra = ["dev"]\nrequires-python = ">=3.8"\n`,
  );
});

test.each([
  'evil @ https://example.com/${SECRET}/evil-1.0-py3-none-any.whl',
  'evil@git+ssh://example.com/evil',
  'evil>=1 ; python_version > "${SECRET}"',
  'evil \\',
])('parseMetadata() refuses the requirement %s', (requires) => {
  expect(parseMetadata(`${HEAD}Requires-Dist: ${requires}\n`)).toMatchObject({
    why: 'evil is required from an address',
  });
});
