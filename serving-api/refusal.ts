/** An error response of the gateway, with Databricks' status and error body. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** Renders the body of the response: `{"error_code": …, "message": …}`. */
export function renderRefusal({ code, message }: Refusal): string {
  return JSON.stringify({ error_code: code, message });
}

export const unauthenticated: Refusal = {
  status: 401,
  code: 'UNAUTHENTICATED',
  message: 'Cannot accept the request: expected a header "Authorization: Bearer TOKEN" with a token of this gateway',
  headers: { 'www-authenticate': 'Bearer' },
};

export const unknownPath: Refusal = {
  status: 404,
  code: 'ENDPOINT_NOT_FOUND',
  message: 'Cannot find this path: expected /serving-endpoints/NAME/invocations or /api/2.0/serving-endpoints',
};

export const bodyTooLarge: Refusal = {
  status: 413,
  code: 'REQUEST_TOO_LARGE',
  message: `Cannot accept the request: its body is larger than the limit of ${MAX_BODY_BYTES} bytes (16 MiB)`,
};

/** The endpoint does not exist, or the client may not see it. */
export function unknownEndpoint(name: string): Refusal {
  return {
    status: 404,
    code: 'RESOURCE_DOES_NOT_EXIST',
    message: `Cannot find the serving endpoint "${name}": no endpoint here has that name`,
  };
}

export function unknownEntity(endpoint: string, entity: string, known: readonly string[]): Refusal {
  const expected = known.length > 0 ? `expected one of ${known.join(', ')}` : 'it serves nothing yet';
  return {
    status: 404,
    code: 'RESOURCE_DOES_NOT_EXIST',
    message: `Cannot find the served entity "${entity}" in endpoint "${endpoint}": ${expected}`,
  };
}

/** The endpoint exists, but its queries have no description. */
export function noQueryDescription(endpoint: string, why: string): Refusal {
  return {
    status: 404,
    code: 'RESOURCE_DOES_NOT_EXIST',
    message: `Cannot describe the queries of "${endpoint}": ${why}`,
  };
}

export function wrongMethod(method: string, allow: string): Refusal {
  return {
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
    message: `Cannot ${method} this path: expected ${allow}`,
    headers: { allow },
  };
}

/** The management API is read-only, because Git defines the endpoints. */
export function readOnlyApi(endpoint: string | undefined): Refusal {
  const name = endpoint ?? 'NAME';
  return {
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
    message: `Cannot change "${name}" through the API: an endpoint is a file in Git, expected a pull request that changes endpoints/${name}.yaml (or, on this machine, npx davit up ${name})`,
    headers: { allow: 'GET' },
  };
}

/** The queue is full. A retry is safe, because the model did not receive the request. */
export function queueFull(entity: string): Refusal {
  return {
    status: 429,
    code: 'RESOURCE_EXHAUSTED',
    message: `Cannot accept another request for "${entity}": all its units of concurrency are busy and its queue is full. Send fewer requests at a time, or raise its maximum concurrency`,
    headers: { 'retry-after': '1' },
  };
}

/** No replica can answer now. A retry is safe, because the model did not receive the request. */
export function unavailable(entity: string, why: string, retrySeconds = 5): Refusal {
  return temporarilyUnavailable(`Cannot reach a model for "${entity}": ${why}`, retrySeconds);
}

/** The request can be answered later: the client may send it again after `retrySeconds`. */
export function temporarilyUnavailable(message: string, retrySeconds: number): Refusal {
  const headers = { 'retry-after': String(retrySeconds) };
  return { status: 503, code: 'TEMPORARILY_UNAVAILABLE', message, headers };
}

/**
 * The model server ended after it received the request. The gateway does not retry, because a worker can have started.
 */
export function modelServerDied(entity: string): Refusal {
  return {
    status: 502,
    code: 'MODEL_SERVER_DIED',
    message: `Cannot answer: the model server of "${entity}" ended while it processed this request. Another one is starting`,
  };
}

export function deadlineExceeded(entity: string, seconds: number): Refusal {
  return {
    status: 504,
    code: 'DEADLINE_EXCEEDED',
    message: `Cannot answer: "${entity}" took longer than ${seconds} s`,
  };
}

/** The response to an invalid HTTP request, by Node's error code: headers too long, too slow, or another fault. */
export function malformedRequest(code: string | undefined): Refusal {
  const cannot = 'Cannot read the request:';
  if (code === 'HPE_HEADER_OVERFLOW') {
    const message = `${cannot} its path and headers are too long, expected 16 KiB or less`;
    return { status: 431, code: 'BAD_REQUEST', message };
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return { status: 408, code: 'BAD_REQUEST', message: `${cannot} it did not arrive completely in time` };
  }
  return {
    status: 400,
    code: 'BAD_REQUEST',
    message: `${cannot} it is not HTTP/1.1, expected a request as curl sends it`,
  };
}

export const unknownExpectation: Refusal = {
  status: 417,
  code: 'BAD_REQUEST',
  message: 'Cannot meet the expectation in the header "Expect": expected 100-continue, or no such header',
};
