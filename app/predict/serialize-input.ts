import { InvalidParameterError } from '../invalid-parameter.ts';
import { isRecord } from '../../schemas/values/is-record.ts';

/** A request with one of these keys is passed on as it is: MLflow's forms, and its bare forms for language models. */
const BODY_KEYS = [
  ...['dataframe_split', 'dataframe_records', 'instances', 'inputs'],
  ...['messages', 'prompt', 'input'],
];

/** Makes the body of a request from `input_data`. Says so if it writes null for NaN. */
export function serializeInput(
  data: unknown,
  contentType: 'json' | 'csv',
  say: (line: string) => void = () => undefined,
): string {
  return contentType === 'json' ? serializeJson(data, say) : serializeTable(data);
}

/**
 * As MLflow does, `{"inputs": data}`, except for what is a request already. MLflow would wrap a request, too, so that no
 * model can read it.
 */
function serializeJson(data: unknown, say: (line: string) => void): string {
  if (typeof data === 'string' && isBody(parse(data))) return data;
  let missing = 0;
  const text = JSON.stringify(isBody(data) ? data : { inputs: data }, (_, value: unknown) => {
    if (typeof value === 'bigint')
      throw new InvalidParameterError(
        `Cannot use ${value}n in input_data: expected a number, or the request as a text`,
      );
    if (typeof value === 'number' && Math.abs(value) === Infinity)
      throw new InvalidParameterError(`Cannot use ${value} in input_data: JSON has no such number`);
    if (Number.isNaN(value)) missing += 1;
    return value;
  });
  if (missing > 0) say(`Wrote null in the input for ${missing} × NaN: JSON has no such number`);
  if (text === '{}') throw new InvalidParameterError(`Cannot use input_data: ${typeof data} is no JSON value`);
  return text;
}

function isBody(data: unknown): boolean {
  return isRecord(data) && BODY_KEYS.some((key) => Object.hasOwn(data, key));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const TABLE_FORMS =
  'expected the text of the table, a list of records, a list of rows, or a map from columns to lists of values';

/** As pandas would write the table: a header line, quotes only where they are needed, nothing for a missing value. */
function serializeTable(data: unknown): string {
  if (typeof data === 'string') return data;
  const { columns, rows } = Array.isArray(data) ? readRows(data) : readColumns(data);
  return [columns, ...rows].map((row) => `${row.map(renderCell).join(',')}\n`).join('');
}

interface Table {
  readonly columns: readonly unknown[];
  readonly rows: readonly (readonly unknown[])[];
}

function readRows(data: readonly unknown[]): Table {
  if (data.length > 0 && data.every(isRecord)) {
    const columns = [...new Set(data.flatMap((record) => Object.keys(record)))];
    return { columns, rows: data.map((record) => columns.map((column) => record[column])) };
  }
  if (data.length === 0 || !data.every((row) => Array.isArray(row)))
    throw new InvalidParameterError(`Cannot make a table of input_data: ${TABLE_FORMS}`);
  const rows = data as readonly (readonly unknown[])[];
  const width = Math.max(...rows.map((row) => row.length));
  const columns = Array.from({ length: width }, (_, i) => i);
  return { columns, rows: rows.map((row) => columns.map((i) => row[i])) };
}

function readColumns(data: unknown): Table {
  const values = isRecord(data) ? Object.values(data) : [];
  const lists = values.filter((list): list is unknown[] => Array.isArray(list));
  const [first] = lists;
  if (!isRecord(data) || !first || lists.length < values.length || lists.some((list) => list.length !== first.length))
    throw new InvalidParameterError(`Cannot make a table of input_data: ${TABLE_FORMS} of one length`);
  return { columns: Object.keys(data), rows: first.map((_, i) => lists.map((list) => list[i])) };
}

function renderCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value))
    return Number.isNaN(value) ? '' : value > 0 ? 'inf' : '-inf';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
