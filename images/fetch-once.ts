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
