import { readFile } from 'node:fs/promises';
import { codePath } from '../../system/code.ts';

/** The version of MLflow that this Davit downloads models with, and that its model server is tested with. */
export async function readTestedMlflowVersion(): Promise<string> {
  const file = codePath('validation', 'model', 'download-requirements.txt');
  const version = /^mlflow-skinny==([0-9.]+)/m.exec(await readFile(file, 'utf8'))?.[1];
  if (version === undefined) throw new Error(`Cannot read ${file}: expected a line "mlflow-skinny==VERSION"`);
  return version;
}
