import type { OperationId } from './operations.ts';

/** Operations whose list GitHub wraps in an object, with the name of its field. */
const WRAPPED_LISTS: Readonly<Partial<Record<OperationId, string>>> = {
  'checks/list-for-ref': 'check_runs',
  'repos/list-attestations': 'attestations',
};

/** Lists whose pages have a cursor instead of a number; this fake's cursor is the number. */
const CURSORS: Readonly<Partial<Record<OperationId, string>>> = { 'repos/list-attestations': 'after' };

/** Returns one page of a list, with links to the others. Returns anything else unchanged. */
export function paginate(id: OperationId, url: URL, answer: unknown) {
  if (!Array.isArray(answer)) return { body: answer };
  const items = answer as readonly unknown[];
  const size = Math.min(Number(url.searchParams.get('per_page') ?? 30), 100);
  const parameter = CURSORS[id] ?? 'page';
  const page = Number(url.searchParams.get(parameter) ?? 1);
  const last = Math.max(1, Math.ceil(items.length / size));
  const link = (number: number, rel: string) => {
    const target = new URL(url);
    target.searchParams.set(parameter, String(number));
    return `<${target.href}>; rel="${rel}"`;
  };
  const links = [
    ...(page < last ? [link(page + 1, 'next'), link(last, 'last')] : []),
    ...(page > 1 ? [link(1, 'first'), link(page - 1, 'prev')] : []),
  ];
  const shown = items.slice((page - 1) * size, page * size);
  const wrapper = WRAPPED_LISTS[id];
  const count = wrapper === 'check_runs' ? { total_count: items.length } : {};
  const body = wrapper === undefined ? shown : { ...count, [wrapper]: shown };
  return { body, ...(links.length > 0 && { headers: { link: links.join(', ') } }) };
}
