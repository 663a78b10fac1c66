export const LIMIT_SECONDS = 30;

/** Sends one request, and returns an error where there is no answer in time, so that the caller can try again. */
export async function fetchOnce(url: URL, init: RequestInit, signal?: AbortSignal): Promise<Response | Error> {
  const limit = AbortSignal.timeout(LIMIT_SECONDS * 1000);
  try {
    return await fetch(url, { ...init, signal: signal ? AbortSignal.any([limit, signal]) : limit });
  } catch (e) {
    return e instanceof Error ? e : new Error(String(e));
  }
}

/** As fetchOnce(), but the limit ends with the headers of the answer, so that its body may take any time. */
export async function fetchHeaders(url: URL, init: RequestInit, signal?: AbortSignal): Promise<Response | Error> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new DOMException('no answer', 'TimeoutError')), LIMIT_SECONDS * 1000);
  try {
    return await fetch(url, { ...init, signal: signal ? AbortSignal.any([limit.signal, signal]) : limit.signal });
  } catch (e) {
    return e instanceof Error ? e : new Error(String(e));
  } finally {
    clearTimeout(timer);
  }
}
