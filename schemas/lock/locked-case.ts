import { z } from 'zod';
import { CONTENT_TYPES } from '../endpoint/validation-file.ts';
import { line } from './locked-values.ts';

/** An input that the model predicts in its proof and before it serves, with the text of its file if it has one. */
export const lockedCase = z.strictObject({
  name: line,
  content_type: z.enum(CONTENT_TYPES),
  /** The body of the request. */
  input: z.string(),
  /** The expected predictions as JSON. Absent: any answer that fits the signature. */
  expect: z.string().optional(),
});

export type LockedCase = z.infer<typeof lockedCase>;
