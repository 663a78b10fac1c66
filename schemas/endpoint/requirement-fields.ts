import { z } from 'zod';
import { packageName } from '../lock/locked-values.ts';
import { refuseRepeated } from '../yaml/refuse-repeated.ts';

/** Fields of `davit.served_entities.NAME` about the packages of a model. */
export const requirementFields = {
  requirements: z
    .strictObject({
      add: z
        .array(z.string())
        .optional()
        .describe('Requirements to add; each replaces a requirement with the same name'),
      remove: z.array(z.string()).optional().describe('Names of requirements to remove'),
    })
    .optional()
    .describe("Changes to the model's requirements, without logging the model again"),
  build_wheels: z
    .array(packageName)
    .superRefine(refuseRepeated((name) => name))
    .optional()
    .describe(
      'Packages without a wheel: `davit lock` builds one from the source distribution or from the commit that the requirement names (`git+https://…@COMMIT`), in the sandbox and without network',
    ),
};
