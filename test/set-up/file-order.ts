import { createHash } from 'node:crypto';
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification, type Vitest } from 'vitest/node';
import { readFileDurations, sortByDuration } from './file-durations.ts';

/** In these projects the tests of a file build on each other, so only whole files may be shuffled. */
const ORDERED_WITHIN = ['real', 'alone', 'cluster', 'cluster-alone'];

/**
 * The longest files first, so that no core waits for one at the end; files without a known duration before them, in
 * vitest's order. With --sequence.shuffle an order from its seed. The test that removes the shared cluster is always last.
 */
export class FileOrder extends BaseSequencer {
  readonly #seed: number | undefined;

  constructor(vitest: Vitest) {
    super(vitest);
    const { shuffle, seed } = vitest.config.sequence;
    this.#seed = shuffle ? seed : undefined;
    for (const { name, config } of vitest.projects) if (ORDERED_WITHIN.includes(name)) config.sequence.shuffle = false;
  }

  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const group = ({ project }: TestSpecification) => project.config.sequence.groupOrder;
    const isLast = (file: TestSpecification) => Number(file.moduleId.endsWith('/removal.cluster.test.ts'));
    // Files that share the modules of their worker must follow each other: `fast` before `real`.
    const byProject = (a: TestSpecification, b: TestSpecification) => (a.project.name < b.project.name ? -1 : 1);
    return this.#order(await super.sort(files)).toSorted(
      (a, b) => group(a) - group(b) || (a.project.name === b.project.name ? isLast(a) - isLast(b) : byProject(a, b)),
    );
  }

  #order(files: TestSpecification[]): TestSpecification[] {
    if (this.#seed === undefined) {
      const seconds = readFileDurations();
      return sortByDuration(files, ({ project, moduleId }) => seconds[relative(project.config.root, moduleId)]);
    }
    const rank = (file: TestSpecification) =>
      createHash('sha256').update(`${this.#seed} ${file.moduleId}`).digest('hex');
    return files.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
  }
}
