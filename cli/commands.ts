import { check } from './check.ts';
import type { Command } from './command.ts';

/** Every verb, in the order of the way of the data. */
export const COMMANDS: Readonly<Record<string, Command>> = { check };
