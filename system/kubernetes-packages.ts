import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { codePath } from './code.ts';

/** The HTTP client of the Kubernetes SDK needs it, while the rest of Davit runs on Node 20. */
const MINIMUM_NODE = [22, 19] as const;

/**
 * Throws if the npm packages for Kubernetes are not installed, or cannot run on this Node. Davit's own package leaves them
 * to those who need them: they are larger than everything else together.
 */
export function requireKubernetesPackages(manifest = codePath('package.json'), node = process.versions.node): void {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  if (major < MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor < MINIMUM_NODE[1]))
    throw new Error(`Cannot use Kubernetes on Node ${node}: expected Node ${MINIMUM_NODE.join('.')} or newer`);
  const { peerDependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    readonly peerDependencies?: Readonly<Record<string, string>>;
  };
  const folders = createRequire(manifest).resolve.paths('davit') ?? [];
  const isInstalled = (name: string) => folders.some((folder) => existsSync(join(folder, name, 'package.json')));
  const missing = Object.entries(peerDependencies).filter(([name]) => !isInstalled(name));
  if (missing.length === 0) return;
  throw new Error(
    `Cannot use Kubernetes: Davit's packages for it, which not everybody needs, are not installed. Install them once: npm install --save-dev ${missing.map((p) => p.join('@')).join(' ')}`,
  );
}
