import type { Figure } from './benchmark.ts';

/**
 * Renders a table: a row for each measurement and unit, a column for each side, and minimum, median and maximum in each
 * cell.
 */
export function renderFigures(figures: readonly Figure[]): string {
  const sides = [...new Set(figures.map((f) => f.side))];
  const keys = [...new Set(figures.map(rowKey))];
  const rows = keys.map((key) => {
    const row = figures.filter((f) => rowKey(f) === key);
    const cells = sides.map((side) => renderCell(row.find((f) => f.side === side)?.values ?? []));
    return [row[0]?.what ?? '', row[0]?.unit ?? '', ...cells];
  });
  return renderTable([['', '', ...sides], ...rows]);
}

/** Minimum, median and maximum of numbers in any order. */
export function summarize(values: readonly number[]): {
  readonly minimum: number;
  readonly median: number;
  readonly maximum: number;
} {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? NaN;
  const half = (sorted.length - 1) / 2;
  const median = (at(Math.floor(half)) + at(Math.ceil(half))) / 2;
  return { minimum: at(0), median, maximum: at(sorted.length - 1) };
}

function rowKey({ what, unit }: Figure): string {
  return `${what}\n${unit}`;
}

function renderCell(values: readonly number[]): string {
  if (values.length === 0) return '';
  const { minimum, median, maximum } = summarize(values);
  if (values.length === 1) return renderNumber(median);
  return [minimum, median, maximum].map(renderNumber).join(' / ');
}

/** Three significant digits. */
function renderNumber(n: number): string {
  if (Number.isNaN(n)) return '–';
  if (Number.isInteger(n)) return String(n);
  const decimals = Math.abs(n) < 10 ? 2 : Math.abs(n) < 100 ? 1 : 0;
  return n.toFixed(decimals).replace(/^-(?=[0.]+$)/, '');
}

function renderTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, i) => pad(cell, widths[i] ?? 0, i))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Aligns words left and numbers right. */
function pad(cell: string, width: number, column: number): string {
  return column < 2 ? cell.padEnd(width) : cell.padStart(width);
}
