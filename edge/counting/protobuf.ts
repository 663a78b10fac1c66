/** A field of a protobuf message: a number for varint and fixed fields, the bytes of everything else. */
export interface Field {
  readonly number: number;
  readonly value: number | Buffer;
}

const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;

/** Reads a message's fields in their order. Throws a RangeError when the message is cut off. */
export function* readFields(message: Buffer): Generator<Field> {
  for (let at = 0; at < message.length;) {
    const [tag, begin] = readVarint(message, at);
    const [value, end] = readValue(message, begin, tag & 7);
    yield { number: tag >>> 3, value };
    at = end;
  }
}

/** The last bytes with a field number, as protobuf defines it; undefined: the field is missing. */
export function readBytesField(message: Buffer | undefined, number: number): Buffer | undefined {
  let found: Buffer | undefined;
  for (const field of message ? readFields(message) : [])
    if (field.number === number && typeof field.value !== 'number') found = field.value;
  return found;
}

/** The last number with a field number; 0, protobuf's default, when the field is missing. */
export function readNumberField(message: Buffer | undefined, number: number): number {
  let found = 0;
  for (const field of message ? readFields(message) : [])
    if (field.number === number && typeof field.value === 'number') found = field.value;
  return found;
}

function readValue(message: Buffer, at: number, type: number): readonly [number | Buffer, number] {
  if (type === VARINT) return readVarint(message, at);
  if (type === FIXED_64) return [message.readDoubleLE(at), at + 8];
  if (type === FIXED_32) return [message.readFloatLE(at), at + 4];
  if (type !== BYTES) throw new RangeError(`Cannot read a field of type ${type}: expected ${VARINT}, 1, ${BYTES} or 5`);
  const [length, begin] = readVarint(message, at);
  if (begin + length > message.length) throw new RangeError('Cannot read a field: the message is cut off');
  return [message.subarray(begin, begin + length), begin + length];
}

/** Exact up to 2^53. No number read here is larger. */
function readVarint(message: Buffer, from: number): readonly [number, number] {
  let value = 0;
  for (let at = from, factor = 1; ; at += 1, factor *= 128) {
    const byte = message[at];
    if (byte === undefined) throw new RangeError('Cannot read a number: the message is cut off');
    value += (byte & 127) * factor;
    if (byte < 128) return [value, at + 1];
  }
}
