/** The runner sends SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Aborts when the runner cancels the step, so that the results so far are still written. */
export function abortOnSignals(): { readonly signal: AbortSignal; readonly release: () => void } {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (!stop.signal.aborted) stop.abort(new Error(`Cancelled (${name})`));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: stop.signal,
    release: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
