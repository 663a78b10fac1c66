// The only lint configuration: typed rules, house limits, and the allowed imports between rooms.
import tseslint from 'typescript-eslint';

/** The rooms that each room may import from; every other import is refused with our own message. */
const IMPORTS = {
  schemas: [],
  system: ['schemas'],
  sandbox: ['system', 'schemas'],
  python: ['sandbox', 'system', 'schemas'],
  validation: ['sandbox', 'images', 'python', 'system', 'schemas'],
  'pulumi-provider': [],
  'serving-api': ['schemas'],
  kubernetes: ['system', 'schemas'],
  edge: ['serving-api', 'kubernetes', 'system', 'schemas'],
  images: ['python', 'system', 'schemas'],
  local: ['serving-api', 'pulumi-provider', 'python', 'system', 'schemas'],
  infra: ['edge', 'images', 'kubernetes', 'pulumi-provider', 'system', 'schemas'],
  cluster: ['system', 'schemas'],
  offline: ['cluster', 'kubernetes', 'pulumi-provider', 'system', 'schemas'],
  engine: ['offline', 'pulumi-provider', 'system', 'schemas'],
  review: ['system', 'schemas'],
  app: ['cluster', 'engine', 'images', 'kubernetes', 'local', 'python', 'review', 'validation', 'system', 'schemas'],
  cli: ['sandbox', 'app', 'review', 'validation', 'system', 'schemas'],
  action: ['sandbox', 'app', 'engine', 'images', 'review', 'validation', 'system', 'schemas'],
};
const ROOMS = [...Object.keys(IMPORTS), 'tools', 'bench', 'test'];
for (const program of ['tools', 'bench'])
  IMPORTS[program] = ROOMS.filter((room) => !['cli', 'action', 'tools', 'bench'].includes(room));

/**
 * Rooms that handle what a pull request brings. They start a program only through sandbox/, except in these files, each of
 * which runs a known program that runs no code of a model or a package.
 */
const STARTING_PROGRAMS = {
  schemas: [],
  validation: ['validation/model/run-download.ts', 'validation/advisories/database.ts'],
  python: ['run-uv', 'find-uv', 'find-python', 'download-uv', 'compile-byte-code'].map((name) => `python/${name}.ts`),
  images: ['images/docker-credentials.ts'],
  review: [],
};
const noPrograms = {
  group: ['node:child_process', '**/system/run-process.ts', '**/sandbox/run-limited.ts'],
  allowTypeImports: true,
  message:
    'Cannot start a program here: expected runUntrusted() of sandbox/, or a file in STARTING_PROGRAMS of eslint.config.js',
};

const noHttp = {
  group: ['node:http'],
  allowTypeImports: true,
  message: 'Cannot import this, because it takes 0.09 s of processor time: expected system/node-http.ts',
};

function makeImportRules(room, more = []) {
  const allowed = IMPORTS[room];
  const others = {
    group: ROOMS.filter((r) => r !== room && !allowed.includes(r)).flatMap((r) => [
      `../${r}/*`,
      `../../${r}/*`,
      `../../../${r}/*`,
    ]),
    message: `Cannot import this from ${room}/: expected only ${allowed.join(', ') || 'its own files'} (ARCHITECTURE.md, "Who imports whom")`,
  };
  return { '@typescript-eslint/no-restricted-imports': ['error', { patterns: [others, ...more] }] };
}

const directions = Object.keys(IMPORTS).flatMap((room) => [
  {
    files: [`${room}/**/*.ts`],
    rules: makeImportRules(room, [
      ...(room in STARTING_PROGRAMS ? [noPrograms] : []),
      ...(IMPORTS[room].includes('system') && room !== 'edge' ? [noHttp] : []),
    ]),
  },
  ...(STARTING_PROGRAMS[room]?.length > 0 ? [{ files: STARTING_PROGRAMS[room], rules: makeImportRules(room) }] : []),
]);

export default tseslint.config(
  { ignores: ['node_modules/', '.davit/', '**/*.js', '**/*.{mjs,cjs}', 'test/fixtures/'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: 'MemberExpression[object.type="MetaProperty"][property.name=/^(dirname|filename|url)$/]',
          message: "Cannot find Davit's files by this in the action's bundle: expected codePath() of system/code.ts",
        },
      ],
      'no-console': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  ...directions,
  {
    files: ['local/**/*.ts'],
    ignores: ['local/gateway/routes.ts'], // stores when an endpoint was changed
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'Date',
          property: 'now',
          message: 'Cannot measure a duration with a clock that can be set: expected performance.now()',
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'no-restricted-syntax': 'off',
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['test/**/*.test.ts'],
    ignores: ['test/**/*.{real,cluster}.test.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'CallExpression[callee.object.name="vi"][callee.property.name=/^(mock|doMock)$/]',
          message:
            'Cannot replace a module in a fast test, because an earlier file of the same worker may have loaded it: expected a parameter of the function under test',
        },
      ],
    },
  },
);
