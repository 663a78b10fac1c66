// Starts the action; any thrown error fails the run.
import { setFailed } from '@actions/core';
import { messages } from '../cli/print.ts';
import { main } from './main.ts';

try {
  await main();
} catch (e) {
  setFailed(messages(e).join('\nbecause: '));
}
