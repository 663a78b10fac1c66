// A stand-in for Pulumi's provider `kubernetes` where it cannot be downloaded. It supports any object, by server-side
// apply.
import '../../../system/node-20.ts';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serveProvider } from '../../../pulumi-provider/serve-provider.ts';
import { makeKubernetesProvider } from './kubernetes-provider.ts';

const { version } = JSON.parse(
  readFileSync(fileURLToPath(import.meta.resolve('@pulumi/kubernetes/package.json')), 'utf8'),
) as { readonly version: string };

serveProvider(makeKubernetesProvider(version));
