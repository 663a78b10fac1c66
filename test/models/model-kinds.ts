/** A model of the matrix: a function of a module in make/, and what its endpoint file says besides its name. */
export interface ModelKind {
  readonly name: string;
  readonly module: 'flavors' | 'pyfuncs' | 'more' | 'older';
  readonly environment: EnvironmentName;
  /** `davit.served_entities.model` of the endpoint file: the repair that Davit suggests. */
  readonly davit?: Readonly<Record<string, unknown>>;
  /** The code with which Davit refuses the model. Without it, the model serves. */
  readonly refused?: string;
}

export type EnvironmentName = 'libraries' | 'more' | 'torch' | 'mlflow1' | 'mlflow210' | 'mlflow222' | 'python313';

interface Environment {
  /** A minor version of Python. */
  readonly python: string;
  readonly packages: readonly string[];
}

/** The virtualenvs in which the models are saved, as those of their owners. */
export const ENVIRONMENTS: Readonly<Record<EnvironmentName, Environment>> = {
  libraries: {
    python: '3.11',
    packages: [
      ...['mlflow==3.17.2', 'scikit-learn', 'lightgbm', 'catboost', 'statsmodels', 'prophet', 'onnx', 'onnxruntime'],
    ],
  },
  more: {
    python: '3.12',
    packages: [
      ...['mlflow==3.17.2', 'scikit-learn', 'xgboost', 'lightgbm', 'spacy', 'pmdarima', 'shap', 'imbalanced-learn'],
      ...['category-encoders', 'pillow', 'polars', 'rank-bm25', 'networkx'],
    ],
  },
  torch: { python: '3.11', packages: ['mlflow==3.17.2', 'torch', 'torchvision', 'transformers', 'accelerate'] },
  mlflow1: { python: '3.8', packages: ['mlflow==1.30.1', 'scikit-learn'] },
  mlflow210: { python: '3.9', packages: ['mlflow==2.10.0', 'scikit-learn', 'setuptools<81'] },
  mlflow222: { python: '3.12', packages: ['mlflow==2.22.1', 'scikit-learn'] },
  python313: { python: '3.13', packages: ['mlflow==3.17.2', 'scikit-learn'] },
};

type More = Omit<ModelKind, 'name' | 'module' | 'environment'>;

const TOO_OLD = { refused: 'version-unsupported' } as const;
const RAISED = { davit: { requirements: { add: ['mlflow==2.17.2'] } } } as const;

const FLAVORS: Readonly<Record<string, More>> = {
  lightgbm_classifier: {},
  lightgbm_booster: {},
  catboost_regressor: {},
  statsmodels_ols: {},
  prophet_forecast: {},
  onnx_linear: {},
  sklearn_probabilities: {},
  sklearn_no_signature: {},
  sklearn_columns: {},
};

const PYFUNCS: Readonly<Record<string, More>> = {
  artifacts: {},
  from_code: {},
  columns_all: {},
  dates: { refused: 'prediction-failed' },
  dates_answer: {},
  missing_values: { refused: 'output-mismatch' },
  missing_values_null: { davit: { nan: 'null' } },
  nan_answer: {},
  tensor: {},
  named_tensors: {},
  nested: {},
  parameters: {},
  large: {},
  no_signature: {},
  type_hints: {},
  type_hints_object: {},
  chat_agent: {},
};

const MORE: Readonly<Record<string, More>> = {
  xgboost_booster: {},
  lightgbm_categories: { refused: 'prediction-failed' },
  spacy_categories: {},
  pmdarima_arima: {},
  shap_explainer: {},
  imblearn_pipeline: {},
  category_encoders_pipeline: {},
  sklearn_texts: {},
  sklearn_many_outputs: {},
  sklearn_clusters: {},
  pillow_images: {},
  polars_frame: {},
  bm25_search: {},
  networkx_graph: {},
};

export const MODEL_KINDS: readonly ModelKind[] = [
  ...makeKinds('flavors', 'libraries', FLAVORS),
  ...makeKinds('pyfuncs', 'libraries', PYFUNCS),
  ...makeKinds('more', 'more', MORE),
  ...makeKinds('flavors', 'torch', { torch_linear: {}, transformers_text: {} }),
  ...makeKinds('older', 'mlflow1', {
    mlflow1_sklearn: {},
    mlflow1_pyfunc: {},
    mlflow1_pinned: TOO_OLD,
    mlflow1_raised: RAISED,
  }),
  ...makeKinds('older', 'mlflow210', { mlflow210_sklearn: {}, mlflow210_pyfunc: {} }),
  ...makeKinds('older', 'mlflow222', { mlflow222_sklearn: {}, mlflow222_pyfunc: {} }),
  ...makeKinds('older', 'python313', { python313_sklearn: {}, python313_pyfunc: {} }),
];

function makeKinds(
  module: ModelKind['module'],
  environment: EnvironmentName,
  models: Readonly<Record<string, More>>,
): readonly ModelKind[] {
  return Object.entries(models).map(([name, more]) => ({ name, module, environment, ...more }));
}
