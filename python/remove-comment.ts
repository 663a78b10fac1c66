/** Removes the comment from a line of a requirements file: from a # at the start or after white space. */
export function removeComment(line: string): string {
  const at = line.search(/(?<!\S)#/);
  return at < 0 ? line : line.slice(0, at);
}
