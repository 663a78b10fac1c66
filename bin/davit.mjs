#!/usr/bin/env node
// The `davit` command: see cli/main.ts. In the npm package, whose files are compiled, it runs in this process, on Node
// 20.18 and newer. In the repository, launch.mjs starts it with Node 24.
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');
const [major, minor] = process.versions.node.split('.').map(Number);
const compiled = new URL('../cli/main.js', import.meta.url);

if (!existsSync(compiled)) {
  const { launch } = await import('./launch.mjs');
  await launch('cli/main.ts', process.argv.slice(2));
} else if (major < 20 || (major === 20 && minor < 18)) {
  process.stderr.write(
    `Cannot run on Node ${process.versions.node}: expected Node 20.18 or newer. Install it from https://nodejs.org\n`,
  );
  process.exitCode = 3;
} else {
  const { cacheFolder } = await import('../system/cache.js');
  process.env.NODE_COMPILE_CACHE ??= cacheFolder('node');
  process.env.DAVIT_HOME = root;
  nodeModule.enableCompileCache?.(process.env.NODE_COMPILE_CACHE); // since Node 22
  if (process.env.DAVIT_DEBUG) process.setSourceMapsEnabled(true); // stack traces name the sources
  await import(compiled.href);
}
