const PIECES = [
  ...[
    '${var.x}',
    '{{var.x}}',
    '{{secrets/a/b}}',
    '${',
    '}}',
    '*one',
    '&two ',
    '<<: *one',
    '!!binary x',
    '---\n',
    '...\n',
  ],
  ...[
    'null',
    '~',
    'true',
    '"',
    "'",
    '[',
    ']',
    '{',
    '}',
    ': ',
    '- ',
    '? ',
    '| ',
    '>-\n',
    '#',
    '\t',
    '\r\n',
    '\u2028',
    '\ufeff',
  ],
  ...[
    'permissions: []\n',
    'resources: {}\n',
    'served_models: []\n',
    'name: x\n',
    'tags: { a: b }\n',
    '0x1F',
    '1e999',
    '.inf',
  ],
  ...[
    '-1',
    '1.10',
    '9'.repeat(40),
    'é',
    '😀',
    '\u0000',
    '\ud800',
    'a'.repeat(200),
    '['.repeat(300),
    'latest',
    'CPU_SMALL',
  ],
  ...['__proto__: 1\n', 'constructor: 1\n', 'toString: {}\n'],
];

/** A small generator of random numbers (mulberry32), so that a failure can be repeated by its seed. */
export function makeRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** One small change: pieces are put in, lines move, values and names change. */
export function mutate(text: string, random: (below: number) => number): string {
  const at = random(text.length + 1);
  const piece = PIECES[random(PIECES.length)] ?? '';
  const lines = text.split('\n');
  const line = random(lines.length);
  const changes: readonly (() => string)[] = [
    () => text.slice(0, at) + piece + text.slice(at),
    () => text.slice(0, at) + text.slice(at + 1 + random(8)),
    () => lines.toSpliced(line, 1).join('\n'),
    () => lines.toSpliced(random(lines.length), 0, lines[line] ?? '').join('\n'),
    () => lines.with(line, ' '.repeat(random(6)) + (lines[line] ?? '').trimStart()).join('\n'),
    () =>
      lines
        .with(
          line,
          (lines[line] ?? '').replace(/: .*/, () => `: ${piece}`),
        )
        .join('\n'),
    () =>
      lines
        .with(
          line,
          (lines[line] ?? '').replace(/[a-z_]+(?=:)/, () => piece.trim() || 'x'),
        )
        .join('\n'),
    () => text.slice(0, at) + String.fromCharCode(random(0x300)) + text.slice(at + 1),
    () => text.slice(0, at) + text.slice(random(text.length), random(text.length)) + text.slice(at),
  ];
  return changes[random(changes.length)]?.() ?? text;
}
