/** Names of what an environment's platform is made of, in its platform namespace. */
export const EDGE = 'davit-edge';
export const AUTHORISATION = 'davit-authorisation';
/** ServiceAccount whose tokens may query every endpoint: for `davit query` and dashboards. */
export const CLIENT_ACCOUNT = 'davit-client';
/** Roles for whoever deploys; bound by the cluster's owner. */
export const DEPLOYER_ROLE = 'davit-deployer';
