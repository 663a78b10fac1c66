/** Names of the platform's objects in the platform namespace. */
export const EDGE = 'davit-edge';
export const AUTHORISATION = 'davit-authorisation';
/** ServiceAccount whose tokens may query every endpoint. `davit query` and dashboards use it. */
export const CLIENT_ACCOUNT = 'davit-client';
/** Name of the roles that a deployer needs. The cluster's administrator binds them. */
export const DEPLOYER_ROLE = 'davit-deployer';
/**
 * In the platform's namespace: the Secret with the keys that sign marks, and the ConfigMap with the key that new revisions
 * accept. The Secret is never in Pulumi's state.
 */
export const MARKS = 'davit-marks';
