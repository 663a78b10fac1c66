/** Makes replicas prefer different nodes; where there is one node only, they share it. */
export function spreadOverNodes(matchLabels: Readonly<Record<string, string>>) {
  const podAffinityTerm = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels } };
  return { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm }] } };
}
