import { createHash } from 'node:crypto';
import { BaseSequencer, type TestSpecification, type Vitest } from 'vitest/node';

/** In these projects the tests of a file build on each other, so only whole files may be shuffled. */
const ORDERED_WITHIN = ['real', 'alone', 'cluster', 'cluster-alone'];

/**
 * vitest's order or, with --sequence.shuffle, one from its seed. The test that removes the shared cluster is always
 * last.
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
    return this.#shuffle(await super.sort(files)).toSorted((a, b) => group(a) - group(b) || isLast(a) - isLast(b));
  }

  #shuffle(files: TestSpecification[]): TestSpecification[] {
    if (this.#seed === undefined) return files;
    const rank = (file: TestSpecification) =>
      createHash('sha256').update(`${this.#seed} ${file.moduleId}`).digest('hex');
    return files.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
  }
}
