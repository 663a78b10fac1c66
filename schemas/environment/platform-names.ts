/** Names of the platform's objects in the platform namespace. */
export const EDGE = 'davit-edge';
export const AUTHORISATION = 'davit-authorisation';
/** ServiceAccount whose tokens may query every endpoint. `davit query` and dashboards use it. */
export const CLIENT_ACCOUNT = 'davit-client';
/** Name of the roles that a deployer needs. The cluster's administrator binds them. */
export const DEPLOYER_ROLE = 'davit-deployer';
