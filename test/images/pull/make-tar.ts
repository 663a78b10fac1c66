/** One entry of an archive: a file with its text, or another type. */
export type Entry =
  | string
  | Buffer
  | { readonly folder: true }
  | { readonly link: string }
  | { readonly hardLink: string }
  | { readonly type: string; readonly text?: string };

/** Makes a tar archive, also of what a program that packs files would never write. */
export function makeTar(entries: Readonly<Record<string, Entry>> | readonly (readonly [string, Entry])[]): Buffer {
  const all = (Array.isArray(entries) ? entries : Object.entries(entries)) as readonly (readonly [string, Entry])[];
  const blocks = all.flatMap(([path, entry]) => makeEntry(path, entry));
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function makeEntry(path: string, entry: Entry): Buffer[] {
  if (typeof entry === 'string' || Buffer.isBuffer(entry))
    return makeBlocks(path, '0', { content: Buffer.from(entry) });
  if ('folder' in entry) return makeBlocks(path, '5', {});
  if ('link' in entry) return makeBlocks(path, '2', { target: entry.link });
  if ('hardLink' in entry) return makeBlocks(path, '1', { target: entry.hardLink });
  return makeBlocks(path, entry.type, { content: Buffer.from(entry.text ?? '') });
}

function makeBlocks(
  path: string,
  type: string,
  { content = Buffer.alloc(0), target = '' }: { readonly content?: Buffer; readonly target?: string },
): Buffer[] {
  const header = Buffer.alloc(512);
  header.write(path, 0, 100);
  header.write('0000644\0', 100);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(target, 157, 100);
  header.write('ustar\0' + '00', 257);
  header.write(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148); // prettier-ignore
  return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}
