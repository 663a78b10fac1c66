import { makePythonPackages, type PythonPackages } from '../python-packages.ts';
import { modelPython } from '../runtime/start-server.ts';

/** Everything that a pyfunc model needs, as the tests' own models have it. */
const BASE = ['mlflow-skinny==3.17.2', 'pandas', 'scikit-learn'];

/** Virtualenvs by name. `light` is the one that the model server's own tests have made already. */
const HEAVY: Readonly<Record<string, PythonPackages>> = {
  libraries: {
    name: 'stress-libraries-1',
    packages: [
      ...BASE,
      ...['catboost==1.2.10', 'duckdb', 'grpcio', 'lightgbm==4.7.0', 'onnx', 'onnxruntime', 'polars', 'xgboost-cpu'],
    ],
    imports: 'mlflow, catboost, duckdb, grpc, lightgbm, onnx, onnxruntime, polars, xgboost',
  },
  keras: {
    name: 'stress-keras-1',
    packages: [...BASE, 'tensorflow-cpu==2.21.0', 'keras'],
    imports: 'mlflow, tensorflow, keras',
  },
  torch: { name: 'stress-torch-1', packages: [...BASE, 'torch==2.15.0'], imports: 'mlflow, torch' },
};

/** The interpreter of a virtualenv, which is made when it is not in the cache. */
export function stressPython(environment: string): Promise<string> {
  const packages = HEAVY[environment];
  return packages ? makePythonPackages(packages) : modelPython();
}
