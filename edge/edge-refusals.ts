import { type Refusal, temporarilyUnavailable, unauthenticated } from '../serving-api/refusal.ts';
import { MAX_HEADER_KIBIBYTES, MAX_HEADERS } from './envoy/header-limits.ts';

/** The authorisation service does not answer Envoy. */
export const authorizationUnavailable = temporarilyUnavailable(
  'Cannot authorise the request: the authorisation service is not responding. No model received the request. Retry in a few seconds',
  5,
);

/** The identity provider does not answer, so the token cannot be verified. */
export const identityUnavailable = temporarilyUnavailable(
  'Cannot verify the token: the identity provider is not responding. No model received the request. Retry in a few seconds',
  5,
);

/** The identity provider gets no more verifications at a time, so the token was not verified. */
export const tooManyVerifications = temporarilyUnavailable(
  'Cannot verify the token: too many other tokens are being verified. No model received the request. Retry in a few seconds',
  5,
);

/** The token is valid, but the cluster does not answer whether its caller may do this. */
export const permissionUnavailable = temporarilyUnavailable(
  "Cannot check the caller's permission: the cluster's API server is not responding. No model received the request. Retry in a few seconds",
  5,
);

/** The endpoints have not been read yet. */
export const entriesNotSynced = temporarilyUnavailable(
  'Cannot answer yet: the authorisation service is still reading the endpoints. Retry in a few seconds',
  2,
);

/** The endpoint exists, but somebody has edited its ConfigMap by hand and broken it. */
export function unreadable(endpoint: string): Refusal {
  return temporarilyUnavailable(
    `Cannot query "${endpoint}": its ConfigMap in the cluster cannot be read. No model received the request. The endpoint's owner can see the reason with davit status and deploy it again with davit up ${endpoint}`,
    30,
  );
}

/** Envoy has reached its limit of requests or memory. */
export const edgeOverloaded = temporarilyUnavailable(
  'Cannot accept another request: the edge has reached its memory limit. No model received the request. Retry in a few seconds',
  5,
);

/** One address sends more requests than the edge takes from one. */
export const sourceLimited: Refusal = {
  status: 429,
  code: 'REQUEST_LIMIT_EXCEEDED',
  message:
    "Cannot accept the request: too many requests come from this client's address. No model received the request. Retry in a second. If a proxy in front of the edge sends the requests of many clients, raise gateway.requests_per_source in the environment's file",
  headers: { 'retry-after': '1' },
};

export const headersTooLarge: Refusal = {
  status: 431,
  code: 'BAD_REQUEST',
  message: `Cannot read the request: it has too many headers, or they are too large, expected at most ${MAX_HEADERS} headers, and ${MAX_HEADER_KIBIBYTES} KiB for the path and all headers together`,
};

/** A browser asks whether a page of another origin may send a request. */
export const originNotAllowed: Refusal = {
  status: 403,
  code: 'PERMISSION_DENIED',
  message:
    "Cannot accept a request from a page of this origin: expected the origin in gateway.allowed_origins of the environment's file",
};

/** Upgrade (WebSocket and others) and CONNECT. */
export const protocolNotOffered: Refusal = {
  status: 400,
  code: 'BAD_REQUEST',
  message:
    'Cannot switch to another protocol: expected a plain HTTP request, without the header "Upgrade" and not CONNECT',
};

/** Envoy found no connection for the request. */
export const upstreamUnreachable = temporarilyUnavailable(
  'Cannot reach the endpoint: no connection inside the cluster is available. No model received the request. Retry',
  1,
);

/**
 * The connection broke after the request was sent. A model may have begun to answer, so the request is not sent again.
 */
export const upstreamReset: Refusal = {
  status: 502,
  code: 'MODEL_SERVER_DIED',
  message:
    'Cannot answer: the connection inside the cluster broke after the request was sent, so a model may have processed it',
};

export const upstreamTimeout: Refusal = {
  status: 504,
  code: 'DEADLINE_EXCEEDED',
  message: 'Cannot answer: the model exceeded the time limit for a cold start and an execution',
};

/** The token is not valid; `why` is the end of a sentence. */
export function nobody(why: string): Refusal {
  return {
    ...unauthenticated,
    message: `Cannot accept the token: ${why}`,
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  };
}

export function queryNotPermitted(endpoint: string): Refusal {
  return {
    status: 403,
    code: 'PERMISSION_DENIED',
    message: `Cannot query "${endpoint}": you may view it but not query it, expected CAN_QUERY in davit.permissions of endpoints/${endpoint}.yaml`,
  };
}

/** A log may contain what other callers have sent, and whatever else a model prints. */
export function logsNotPermitted(endpoint: string): Refusal {
  return {
    status: 403,
    code: 'PERMISSION_DENIED',
    message: `Cannot read the logs of "${endpoint}": you may view it but not query it, expected CAN_QUERY or CAN_MANAGE in davit.permissions of endpoints/${endpoint}.yaml`,
  };
}

/** Databricks answers a stopped endpoint's queries with 400. */
export function stopped(endpoint: string): Refusal {
  return {
    status: 400,
    code: 'BAD_REQUEST',
    message: `Cannot query "${endpoint}": it is stopped. Start it first`,
  };
}

/** The last replica ends before the next one starts, because the endpoint's file asks for it. */
export function paused(endpoint: string): Refusal {
  return temporarilyUnavailable(
    `Cannot query "${endpoint}" now: it is being recreated. No model received the request. Retry in a few seconds`,
    5,
  );
}

export interface KnativeErrorMapping {
  readonly status: number;
  /** Whether the reply comes from a Go part of Knative, and not from its Envoy. */
  readonly busy: boolean;
  /** Applies only when the reply's text contains this. */
  readonly says?: string;
  readonly refusal: Refusal;
}

/** Replacements for Knative's plain-text errors. The first one that matches is used. */
export const knativeErrorMappings: readonly KnativeErrorMapping[] = [
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
    refusal: temporarilyUnavailable('Cannot reach the model: the cluster has no replica for the request now. Retry', 2),
  },
  {
    // The connection was refused because a replica, or its model server, has just ended.
    status: 502,
    busy: true,
    says: 'dial tcp',
    refusal: temporarilyUnavailable(
      'Cannot reach the model: its replica has just stopped, and another one replaces it. No model received the request. Retry',
      1,
    ),
  },
  {
    status: 502,
    busy: false,
    refusal: {
      status: 502,
      code: 'MODEL_SERVER_DIED',
      message: 'Cannot answer: the model server stopped while it processed the request, and another one replaces it',
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
    refusal: temporarilyUnavailable(
      'Cannot reach the model: the cluster has no route to it yet. Retry in a few seconds',
      2,
    ),
  },
  {
    status: 500,
    busy: false,
    refusal: {
      status: 500,
      code: 'INTERNAL_ERROR',
      message: 'Cannot answer: a component between the edge and the model failed',
    },
  },
];
