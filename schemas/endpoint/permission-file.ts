import { z } from 'zod';
import { PERMISSION_LEVELS } from '../deployment/serving-entry.ts';

/** An entry of Databricks' access control lists. */
export const permission = z.strictObject({
  user_name: z.string().min(1, 'expected a name').optional().describe('One user'),
  group_name: z
    .string()
    .min(1, 'expected a name')
    .optional()
    .describe('One group; users: every caller with a valid token'),
  service_principal_name: z.string().min(1, 'expected a name').optional().describe('One service principal'),
  permission_level: z.enum(PERMISSION_LEVELS).describe('CAN_VIEW, CAN_QUERY or CAN_MANAGE'),
});
