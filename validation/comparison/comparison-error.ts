/** Predictions cannot be compared, and a second attempt would find the same. The message is a sentence about the reason. */
export class ComparisonError extends Error {}
