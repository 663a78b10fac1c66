import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const REPOSITORY = dirname(dirname(import.meta.dirname));

/**
 * With DAVIT_TEST_PACKAGE=FOLDER the tests use the compiled files of an installed package instead of the sources:
 * `DAVIT_TEST_PACKAGE=app/node_modules/davit npx vitest run --project fast`. Tests of Kubernetes need its packages there, too. Undefined: they use the sources.
 */
export const PACKAGE_UNDER_TEST =
  process.env['DAVIT_TEST_PACKAGE'] === undefined ? undefined : resolve(process.env['DAVIT_TEST_PACKAGE']);

/** Tests of what the package does not have. */
export const TESTS_OF_THE_REPOSITORY = [
  'test/{action,bin,docs,tools}/**',
  'test/cli/npm-scripts.test.ts',
  'test/{regular-expressions,words}.test.ts',
  'test/system/{code,lean-pulumi-sdk}.test.ts',
  'test/infra/targets/kubernetes/prepare-kubernetes.test.ts', // listens to the repository's copy of Pulumi's SDK
];

/** Makes vitest resolve the imports of tests to the files of the package, where it has them. */
export function usePackage(folder: string | undefined) {
  return {
    name: 'davit-package',
    enforce: 'pre' as const,
    resolveId(source: string, importer: string | undefined) {
      if (folder === undefined || importer === undefined || !/^\.\.?\/.*\.ts$/.test(source)) return null;
      const path = relative(REPOSITORY, resolve(dirname(importer), source));
      const compiled = join(folder, path.replace(/\.ts$/, '.js'));
      return path.startsWith('test/') || !existsSync(compiled) ? null : compiled;
    },
  };
}
