import { check } from './check.ts';
import type { Command } from './command.ts';
import { down } from './down.ts';
import { env } from './env.ts';
import { lock } from './lock.ts';
import { logs } from './logs.ts';
import { preview } from './preview.ts';
import { query } from './query.ts';
import { serve } from './serve.ts';
import { status } from './status.ts';
import { token } from './token.ts';
import { up } from './up.ts';
import { validate } from './validate.ts';

/** Every verb, in the order of the way of the data. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  check,
  lock,
  validate,
  serve,
  preview,
  up,
  status,
  query,
  logs,
  token,
  down,
  env,
};
