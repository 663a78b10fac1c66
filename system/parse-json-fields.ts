/** Returns the fields of a JSON object; no fields for any other text. */
export function parseJsonFields(text: string): Readonly<Partial<Record<string, unknown>>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
