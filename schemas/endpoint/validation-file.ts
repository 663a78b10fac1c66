import { z } from 'zod';
import { makeNetworkAddressList } from '../values/network-address.ts';

export const MAX_VALIDATION_CASES = 20;
/** Services that one model may reach in its proof. */
export const MAX_NETWORK_ADDRESSES = 16;
export const CONTENT_TYPES = ['json', 'csv'] as const;
export type ContentType = (typeof CONTENT_TYPES)[number];

/** The services that a model may reach, in an endpoint file or for one prediction. */
export const networkAddresses = makeNetworkAddressList(MAX_NETWORK_ADDRESSES);

const caseFields = {
  input_data: z
    .unknown()
    .optional()
    .describe(
      'The input: a request body of MLflow (dataframe_split, dataframe_records, instances, inputs), any other value as `inputs`, or a text that is the whole body',
    ),
  input_path: z
    .string()
    .min(1, 'expected a path')
    .optional()
    .describe(
      'File with the request body, relative to the project, in endpoints/ or models/: `endpoints/requests/iris.json`',
    ),
  content_type: z
    .enum(CONTENT_TYPES)
    .optional()
    .describe('Format of the body; default csv for a path that ends with .csv, else json'),
  expect: z
    .unknown()
    .optional()
    .describe(
      'The expected predictions; numbers may differ by one millionth; default: any answer that fits the signature',
    ),
};

const caseName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/, 'expected 1 to 63 letters, digits, " ", ".", "-" or "_"');

/** What a model predicts in its proof and before it serves, instead of its own example. */
export const validationFile = z.strictObject({
  ...caseFields,
  cases: z
    .record(caseName, z.strictObject(caseFields))
    .refine(
      (cases) => Object.keys(cases).length <= MAX_VALIDATION_CASES,
      `expected at most ${MAX_VALIDATION_CASES} cases`,
    )
    .optional()
    .describe('Several inputs by name, each with the same fields'),
  network: networkAddresses
    .min(1, 'expected one address or more')
    .optional()
    .describe(
      'Services that the model calls and may reach in its proof, if the environment or the base branch allows them: `api.example.com:443`; default: none',
    ),
});

export type ValidationFile = z.infer<typeof validationFile>;
