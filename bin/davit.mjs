#!/usr/bin/env node
// The `davit` command: see cli/main.ts.
import { launch } from './launch.mjs';

await launch('cli/main.ts', process.argv.slice(2));
