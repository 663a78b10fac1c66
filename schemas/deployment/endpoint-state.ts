/** The state names are those of Databricks. */
export type DeploymentState =
  'DEPLOYMENT_CREATING' | 'DEPLOYMENT_READY' | 'DEPLOYMENT_RECOVERING' | 'DEPLOYMENT_FAILED';

export type ReadyState = 'READY' | 'NOT_READY';

export type UpdateState = 'NOT_UPDATING' | 'IN_PROGRESS' | 'UPDATE_FAILED';

/** The ready state of an endpoint, from the states of the entities that receive traffic. */
export function readyStateOf(serving: readonly DeploymentState[]): ReadyState {
  return serving.length > 0 && serving.every((state) => state === 'DEPLOYMENT_READY') ? 'READY' : 'NOT_READY';
}

/**
 * The update state of an endpoint, from the states of the entities without traffic. An entity that is still starting
 * belongs to a newer update than an entity that failed. A ready entity waits for the others, and waits forever if one
 * of them failed.
 */
export function updateStateOf(pending: readonly DeploymentState[]): UpdateState {
  if (pending.includes('DEPLOYMENT_CREATING')) return 'IN_PROGRESS';
  if (pending.includes('DEPLOYMENT_FAILED')) return 'UPDATE_FAILED';
  return pending.length > 0 ? 'IN_PROGRESS' : 'NOT_UPDATING';
}
