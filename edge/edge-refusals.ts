import { type Refusal, unauthenticated } from '../gateway/refusal.ts';

/** The authorisation service does not answer Envoy. */
export const checkUnavailable: Refusal = {
  status: 503,
  code: 'TEMPORARILY_UNAVAILABLE',
  message:
    'Cannot say who may ask: the authorisation service does not answer, and without it nobody is let through. Nothing was started, expected another try in a few seconds',
  headers: { 'retry-after': '5' },
};

/** The API server does not say whose token it is. */
export const identityUnavailable: Refusal = {
  status: 503,
  code: 'TEMPORARILY_UNAVAILABLE',
  message:
    'Cannot tell whose token this is: who can tell does not answer now. Nothing was started, expected another try in a few seconds',
  headers: { 'retry-after': '5' },
};

/** Not yet synced. */
export const notSynced: Refusal = {
  status: 503,
  code: 'TEMPORARILY_UNAVAILABLE',
  message: 'Cannot answer yet: the authorisation service has not read the endpoints, expected in a few seconds',
  headers: { 'retry-after': '2' },
};

/** Envoy found nobody who would have taken the request. */
export const wayLost: Refusal = {
  status: 503,
  code: 'TEMPORARILY_UNAVAILABLE',
  message:
    'Cannot reach what answers this: there is no connection inside the cluster now. Nothing was started, expected another try',
  headers: { 'retry-after': '1' },
};

/** The connection broke after the request was sent: a model may have begun, so it is not sent again. */
export const wayBroken: Refusal = {
  status: 502,
  code: 'MODEL_SERVER_DIED',
  message: 'Cannot answer: the connection inside the cluster broke while a model may have had this request',
};

export const wayTooLong: Refusal = {
  status: 504,
  code: 'DEADLINE_EXCEEDED',
  message: 'Cannot answer: the model took longer than the longest time that a cold start and an execution may take',
};

/** A token that does not count; `why` is the end of a sentence. */
export function nobody(why: string): Refusal {
  return {
    ...unauthenticated,
    message: `Cannot accept the token: ${why}`,
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  };
}

export function permissionDenied(endpoint: string): Refusal {
  return {
    status: 403,
    code: 'PERMISSION_DENIED',
    message: `Cannot query "${endpoint}": you may see it but not query it, expected CAN_QUERY in davit.permissions of endpoints/${endpoint}.yaml`,
  };
}

/** Databricks answers a stopped endpoint's queries with 400. */
export function stopped(endpoint: string): Refusal {
  return {
    status: 400,
    code: 'BAD_REQUEST',
    message: `Cannot query "${endpoint}": it is stopped, expected it to be started first`,
  };
}

/** Its last replica ends before the next one starts, as its file asks for. */
export function paused(endpoint: string): Refusal {
  return {
    status: 503,
    code: 'TEMPORARILY_UNAVAILABLE',
    message: `Cannot query "${endpoint}" now: it is being recreated. Nothing was started, expected another try in a few seconds`,
    headers: { 'retry-after': '5' },
  };
}

export interface KnativeReply {
  readonly status: number;
  /** Only when a part of Knative says it, not its Envoy. */
  readonly busy: boolean;
  /** Only when this is in its text. */
  readonly says?: string;
  readonly refusal: Refusal;
}

/** What stands in for Knative's plain texts, the first that fits. */
export const knativeReplies: readonly KnativeReply[] = [
  {
    status: 503,
    busy: true,
    refusal: {
      status: 429,
      code: 'RESOURCE_EXHAUSTED',
      message:
        'Too many concurrent requests. Consider increasing the provisioned concurrency of the served entity: all its units are busy and its queue is full',
      headers: { 'retry-after': '1' },
    },
  },
  {
    status: 503,
    busy: false,
    refusal: {
      status: 503,
      code: 'TEMPORARILY_UNAVAILABLE',
      message: 'Cannot reach the model: the cluster has no place to send the request to now, expected another try',
      headers: { 'retry-after': '2' },
    },
  },
  {
    // Nobody took the connection: a replica, or its model server, has just ended.
    status: 502,
    busy: true,
    says: 'dial tcp',
    refusal: {
      status: 503,
      code: 'TEMPORARILY_UNAVAILABLE',
      message:
        'Cannot reach the model: a replica of it has just ended, and another takes its place. Nothing was started, expected another try',
      headers: { 'retry-after': '1' },
    },
  },
  {
    status: 502,
    busy: false,
    refusal: {
      status: 502,
      code: 'MODEL_SERVER_DIED',
      message: "Cannot answer: the model's server ended while it had this request, and another takes its place",
    },
  },
  {
    status: 504,
    busy: false,
    refusal: {
      status: 504,
      code: 'DEADLINE_EXCEEDED',
      message:
        'Cannot answer: the model was not ready, or did not answer, within the time that a cold start and an execution may take',
    },
  },
  {
    status: 404,
    busy: false,
    refusal: {
      status: 503,
      code: 'TEMPORARILY_UNAVAILABLE',
      message: 'Cannot reach the model: the cluster does not know the way to it yet, expected in a few seconds',
      headers: { 'retry-after': '2' },
    },
  },
  {
    status: 500,
    busy: false,
    refusal: {
      status: 500,
      code: 'INTERNAL_ERROR',
      message: 'Cannot answer: a part of the cluster between here and the model has failed',
    },
  },
];
