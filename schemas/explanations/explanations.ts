import type { DiagnosticCode } from '../diagnostic-codes.ts';
import { COMPARISON_CODES } from './comparison-codes.ts';
import { ENVIRONMENT_CODES } from './environment-codes.ts';
import type { Explanation } from './explanation.ts';
import { FILE_CODES } from './file-codes.ts';
import { LOCK_CODES } from './lock-codes.ts';
import { MODEL_CODES } from './model-codes.ts';
import { PACKAGE_CODES } from './package-codes.ts';
import { PREDICTION_CODES } from './prediction-codes.ts';
import { REGISTRY_CODES } from './registry-codes.ts';
import { REQUIREMENT_CODES } from './requirement-codes.ts';
import { RULE_CODES } from './rule-codes.ts';

/** The explanation of every diagnostic code. */
export const EXPLANATIONS: Readonly<Record<DiagnosticCode, Explanation>> = {
  ...FILE_CODES,
  ...RULE_CODES,
  ...ENVIRONMENT_CODES,
  ...LOCK_CODES,
  ...MODEL_CODES,
  ...REGISTRY_CODES,
  ...REQUIREMENT_CODES,
  ...PACKAGE_CODES,
  ...PREDICTION_CODES,
  ...COMPARISON_CODES,
};
