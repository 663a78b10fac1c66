/** Renders a count with its noun: `1 replica`, `3 replicas`. The plural is the noun with an s. */
export function pluralize(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
