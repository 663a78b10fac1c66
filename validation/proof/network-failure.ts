/** How libraries word that they reach nobody: the system's resolver and sockets, HTTP clients, databases, clouds. */
const UNREACHABLE: readonly RegExp[] = [
  /name resolution|getaddrinfo|name or service not known|nodename nor servname|could not translate host name/i,
  /could not resolve host|failed to resolve|dns (?:resolution|lookup|error)|unknownhostexception|no address associated/i,
  /network is unreachable|no route to host|network is down|connection refused|errno (?:101|111|113)\b/i,
  /max retries exceeded|failed to establish a new connection|cannot connect to host|connection error\b/i,
  /failed to connect to all addresses|could not connect to|couldn.t connect to|unable to connect/i,
  /connect(?:ion)? timed? ?out|connecttimeout|serverselectiontimeout|outgoing traffic has been disabled/i,
  /offline mode is enabled|statuscode\.unavailable|error -\d connecting to|error 11[13] connecting to/i,
];
const KINDS =
  /^(?:gaierror|URLError|(?:API|New|Endpoint|Client)?Connect(?:ion|or)?(?:Timeout)?Error|MaxRetryError|ConnectTimeout|NameResolutionError|ConnectionRefusedError|ClientConnector\w*Error|ServerSelectionTimeoutError|TransportError|ServiceUnavailable|LocalEntryNotFoundError|OfflineModeIsEnabled)$/;
/** The machine itself: a model that started a program of its own reaches it without a network. */
const OWN_MACHINE = /\b(?:127\.\d+\.\d+\.\d+|localhost|::1)\b/;

/** Whether a model fails because it reaches no network, whatever library says so. */
export function isNetworkFailure({ kind, message }: { readonly kind: string; readonly message: string }): boolean {
  const [name = ''] = message.split(':');
  if (OWN_MACHINE.test(message)) return false;
  return (
    UNREACHABLE.some((pattern) => pattern.test(message)) || KINDS.test(kind) || KINDS.test(name.split('.').at(-1) ?? '')
  );
}

export const NETWORK_HINT = 'Models are proved without network access: log the model with everything it needs';
