import { findSandbox } from '../../sandbox/sandbox.ts';

/** On a machine without a sandbox, the tests' own models run without one. The tests of the sandbox are then skipped. */
export default async function setUp(): Promise<void> {
  if ('why' in (await findSandbox())) process.env['DAVIT_WITHOUT_SANDBOX'] = '1';
}
