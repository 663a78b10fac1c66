// Starts the action; any thrown error fails the run.
import { setFailed } from '@actions/core';
import { listMessages } from '../app/outage.ts';
import { main } from './main.ts';

try {
  await main();
} catch (e) {
  setFailed(listMessages(e).join('\nbecause: '));
}
