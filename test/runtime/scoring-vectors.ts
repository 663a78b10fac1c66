import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A request and what MLflow 3.17.2's own server answered. */
export interface Vector {
  readonly name: string;
  readonly model: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string | null;
  };
  readonly response: { readonly status: number; readonly body: string };
}

const file = join(import.meta.dirname, '..', 'fixtures', 'runtime', 'mlflow-scoring-server.json');
export const vectors = JSON.parse(readFileSync(file, 'utf8')) as readonly Vector[];

const NO_ECHO = 'the same fault, without the data that was sent and without a stack trace';
const STRICT = 'only what the JSON standard has is JSON';
const NAMED = "what is null is named; else a model that raises is a server's fault";

/** Where our answer differs on purpose: status and body (a part of it), and why. */
export const DIFFERENT: Readonly<
  Record<string, { readonly status: number; readonly body: string; readonly why: string }>
> = {
  'GET /docs': { status: 404, body: 'Not Found', why: 'no pages for people here; the gateway has the API description' },
  'GET /metrics': { status: 200, body: 'davit_requests_total', why: 'there are metrics' },
  'dataframe_split no columns': { status: 400, body: "Model is missing inputs ['sepal length (cm)'", why: NO_ECHO },
  'inputs list of lists': { status: 400, body: "Model is missing inputs ['sepal length (cm)'", why: NO_ECHO },
  'missing column': { status: 400, body: "Model is missing inputs ['petal width (cm)'].", why: NO_ECHO },
  'llm key messages': { status: 400, body: "Note that there were extra inputs: ['messages'].", why: NO_ECHO },
  'dataframe_records string text': {
    status: 400,
    body: "Failed to convert column sepal length (cm) to type 'float64'.",
    why: NO_ECHO,
  },
  'csv text in number column': { status: 400, body: 'Failed to parse input as a Pandas DataFrame.', why: NO_ECHO },
  'malformed json': {
    status: 400,
    body: 'The body is not valid JSON: Expecting value: line 1 column 15',
    why: NO_ECHO,
  },
  'invalid utf8': { status: 400, body: 'The body is not valid JSON', why: NO_ECHO },
  'dataframe_split ragged': { status: 400, body: '4 columns passed, passed data had 3 columns.', why: NO_ECHO },
  'dataframe_records null value': { status: 400, body: ' is null in row 0, expected a value.', why: NAMED },
  'b_pyfunc_code params {"scale": null}': { status: 400, body: 'the parameter \\"scale\\" is null.', why: NAMED },
  'b_pyfunc_code params {"scale": "x"}': { status: 400, body: 'Can not safely convert', why: NO_ECHO },
  'NaN literal in body': { status: 400, body: 'NaN is not JSON.', why: STRICT },
  'l_nan ok request': { status: 500, body: 'INVALID_OUTPUT', why: STRICT },
  'ct missing': { status: 415, body: 'This predictor only supports', why: 'the client forgot it; not a fault of ours' },
  'json ct param': { status: 415, body: 'Unrecognized content type parameters: format.', why: 'no advice about 1.x' },
  'json list': { status: 400, body: 'The body is a list, expected', why: 'one sentence, always the same' },
  'json scalar': { status: 400, body: 'The body is a number, expected', why: 'one sentence, always the same' },
  'empty object': { status: 400, body: 'The body has no key for the input, expected', why: 'one sentence' },
  'unsupported key': { status: 400, body: 'The body has no key for the input, expected', why: 'one sentence' },
};

/** Never in an answer: what was sent, and what is inside. */
export const SECRETS = ['5.1', 'Traceback', 'site-packages', 'stack_trace'];

/** The recording shortens one body: 500,000 rows that are all the same. */
export function fullBody({ request: { body } }: Vector): string {
  const cut = /^(.*?"data": \[)(\[[^\]]*\]).*<\d+ bytes>$/s.exec(body!);
  return cut ? `${cut[1]!}${Array.from({ length: 500_000 }, () => cut[2]).join(', ')}]}}` : body!;
}

/** JSON without the keys that MLflow's newer versions add to errors; a long answer by its beginning. */
export function comparable(body: string): unknown {
  const cut = /^(\{"predictions": \[(?:0, )+)/.exec(body);
  if (cut && body.length > 1000) return body.slice(0, 100);
  try {
    return { ...(JSON.parse(body) as object), sqlstate: undefined, error_class: undefined };
  } catch {
    return body.length > 100 ? body.slice(0, 100) : body;
  }
}
