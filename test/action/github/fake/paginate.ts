import type { OperationId } from './operations.ts';

/** Lists that GitHub wraps, with the name of the list. */
const WRAPPED_LISTS: Readonly<Partial<Record<OperationId, string>>> = { 'checks/list-for-ref': 'check_runs' };

/** One page of a list, with the links to the others; anything else as it is. */
export function paginate(id: OperationId, url: URL, answer: unknown) {
  if (!Array.isArray(answer)) return { body: answer };
  const items = answer as readonly unknown[];
  const size = Math.min(Number(url.searchParams.get('per_page') ?? 30), 100);
  const page = Number(url.searchParams.get('page') ?? 1);
  const last = Math.max(1, Math.ceil(items.length / size));
  const link = (number: number, rel: string) => {
    const target = new URL(url);
    target.searchParams.set('page', String(number));
    return `<${target.href}>; rel="${rel}"`;
  };
  const links = [
    ...(page < last ? [link(page + 1, 'next'), link(last, 'last')] : []),
    ...(page > 1 ? [link(1, 'first'), link(page - 1, 'prev')] : []),
  ];
  const shown = items.slice((page - 1) * size, page * size);
  const wrapper = WRAPPED_LISTS[id];
  const body = wrapper === undefined ? shown : { total_count: items.length, [wrapper]: shown };
  return { body, ...(links.length > 0 && { headers: { link: links.join(', ') } }) };
}
