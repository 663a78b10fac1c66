/** Makes replicas prefer different nodes; with only one node they share it. */
export function makeNodeAntiAffinity(matchLabels: Readonly<Record<string, string>>) {
  const podAffinityTerm = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels } };
  return { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm }] } };
}
