import { normalizePackageName } from '../../python/normalize-package-name.ts';

/** `conda-forge::openblas=0.3` → `openblas` */
export function parseCondaName(spec: string): string {
  return normalizePackageName(
    spec
      .split('::')
      .at(-1)
      ?.split(/[=<>!~ [;]/)[0] ?? spec,
  );
}
