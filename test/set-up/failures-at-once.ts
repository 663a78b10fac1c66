import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node';

/** Prints a failure when it happens, because a run that is cut off never reaches vitest's own report. */
export class FailuresAtOnce implements Reporter {
  onTestCaseResult(test: TestCase): void {
    say(test.module, test.fullName, test.result().errors ?? []);
  }

  onTestSuiteResult(suite: TestSuite): void {
    say(suite.module, suite.fullName, suite.errors());
  }

  onTestModuleEnd(file: TestModule): void {
    say(file, 'before or after its tests', file.errors());
  }
}

function say(file: TestModule, name: string, errors: readonly { readonly stack?: string; readonly message: string }[]) {
  const place = relative(file.project.config.root, file.moduleId);
  for (const { stack, message } of errors) process.stdout.write(`\nFAILED ${place} > ${name}\n${stack ?? message}\n\n`);
}
