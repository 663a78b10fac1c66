import { isMap, type Json, parseExactly, renderJson } from './exact-json.ts';

/** The rows of an answer: those of `predictions`, else the whole answer, as its text if it cannot be parsed. */
export function splitAnswer(answer: string): readonly Json[] {
  const value = parseOrText(answer);
  const predictions = isMap(value) && Object.hasOwn(value, 'predictions') ? value['predictions'] : undefined;
  if (predictions === undefined) return [value];
  return Array.isArray(predictions) ? (predictions as readonly Json[]) : splitColumns(predictions);
}

/** `{"a": [1, 2], "b": [3, 4]}` has two rows. */
function splitColumns(value: Json): readonly Json[] {
  const columns = isMap(value) ? Object.entries(value) : [];
  const [first] = columns;
  const length = first && Array.isArray(first[1]) ? first[1].length : -1;
  if (length < 0 || !columns.every(([, c]) => Array.isArray(c) && c.length === length)) return [value];
  return Array.from({ length }, (_, i) =>
    Object.fromEntries(columns.map(([name, c]) => [name, (c as readonly Json[])[i] ?? null])),
  );
}

/** Makes a function that returns one row of a request, for people; the whole request if it has no rows. */
export function makeInputReader(kind: 'json' | 'csv', body: string): (row: number) => Json {
  if (kind === 'csv') {
    const lines = splitRecords(body);
    return (row) => lines[row + 1] ?? '';
  }
  const whole = parseOrText(body);
  if (!isMap(whole)) return () => whole;
  const { dataframe_split: split, dataframe_records: records, instances, inputs } = whole;
  const rows = [records, instances, inputs].find((list) => list !== undefined);
  if (isMap(split) && Array.isArray(split['data'])) return makeSplitReader(split, split['data'] as readonly Json[]);
  const list = rows === undefined ? [whole] : Array.isArray(rows) ? (rows as readonly Json[]) : splitColumns(rows);
  return (row) => list[row] ?? list[0] ?? null;
}

/** The lines of a table. A quoted cell may contain line breaks. */
function splitRecords(text: string): readonly string[] {
  const records: string[] = [];
  let isOpen = false;
  for (const line of text.split(/\r?\n/)) {
    if (isOpen) records.push(`${records.pop() ?? ''}\n${line}`);
    else records.push(line);
    if ((line.split('"').length - 1) % 2 === 1) isOpen = !isOpen;
  }
  return records;
}

function parseOrText(body: string): Json {
  try {
    return parseExactly(body);
  } catch {
    return body;
  }
}

function makeSplitReader(split: Readonly<Record<string, Json>>, data: readonly Json[]): (row: number) => Json {
  const columns = Array.isArray(split['columns']) ? (split['columns'] as readonly Json[]) : undefined;
  return (row) => {
    const cells = data[row] ?? null;
    if (!columns || !Array.isArray(cells)) return cells;
    return Object.fromEntries(
      columns.map((name, i) => [
        typeof name === 'string' ? name : renderJson(name, 60),
        (cells as readonly Json[])[i] ?? null,
      ]),
    );
  };
}
