// A stand-in for Pulumi's provider `docker` where it cannot be downloaded. It runs the docker command line.
import '../../../system/node-20.ts';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serveProvider } from '../../../pulumi-provider/serve-provider.ts';
import { makeDockerProvider } from './docker-provider.ts';

const { version } = JSON.parse(
  readFileSync(fileURLToPath(import.meta.resolve('@pulumi/docker/package.json')), 'utf8'),
) as { readonly version: string };

serveProvider(makeDockerProvider(version));
