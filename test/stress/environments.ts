import { makePythonPackages, type PythonPackages } from '../helpers/python-packages.ts';
import { modelPython } from '../runtime/start-server.ts';

/** The packages of every pyfunc model, in the versions of the other test models. */
const BASE = ['mlflow-skinny==3.17.2', 'pandas', 'scikit-learn'];

/** The packages of each virtualenv, by its name. `light` is the virtualenv of the model server's own tests. */
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

/** Returns the Python of a virtualenv. Makes the virtualenv if it is not in the cache. */
export function stressPython(environment: string): Promise<string> {
  const packages = HEAVY[environment];
  return packages ? makePythonPackages(packages) : modelPython();
}
