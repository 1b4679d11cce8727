// The metadata of Arrow's messages, checked before apache-arrow reads it: its flatbuffers are read without a look at the
// end of the buffer, so that a damaged count is a loop over billions of things that are not there.
// https://flatbuffers.dev/internals/ and format/Message.fbs, format/Schema.fbs of Arrow

/** What a field of a table refers to; numbers within the table are not listed. */
type Target =
  | { readonly kind: 'string' }
  | { readonly kind: 'table'; readonly name: string }
  /** Elements of so many bytes. */
  | { readonly kind: 'vector'; readonly bytes: number }
  | { readonly kind: 'tables'; readonly name: string }
  /** A table whose name the field before it numbers. */
  | { readonly kind: 'union'; readonly names: Readonly<Record<number, string>> };

const string: Target = { kind: 'string' };
const pairs: Target = { kind: 'tables', name: 'KeyValue' };

/** Targets by table and field number. */
const TABLES: Readonly<Record<string, Readonly<Record<number, Target>>>> = {
  Message: { 2: { kind: 'union', names: { 1: 'Schema', 2: 'DictionaryBatch', 3: 'RecordBatch' } }, 4: pairs },
  Schema: { 1: { kind: 'tables', name: 'Field' }, 2: pairs, 3: { kind: 'vector', bytes: 8 } },
  Field: {
    0: string,
    3: { kind: 'union', names: { 10: 'Timestamp', 14: 'Union' } },
    4: { kind: 'table', name: 'DictionaryEncoding' },
    5: { kind: 'tables', name: 'Field' },
    6: pairs,
  },
  Timestamp: { 1: string },
  Union: { 1: { kind: 'vector', bytes: 4 } },
  DictionaryEncoding: { 1: { kind: 'table', name: 'Int' } },
  KeyValue: { 0: string, 1: string },
  DictionaryBatch: { 1: { kind: 'table', name: 'RecordBatch' } },
  RecordBatch: {
    1: { kind: 'vector', bytes: 16 },
    2: { kind: 'vector', bytes: 16 },
    3: { kind: 'table', name: 'BodyCompression' },
    4: { kind: 'vector', bytes: 8 },
  },
};

const MAX_DEPTH = 64;
const MAX_TABLES = 1_000_000;

/** Throws an error for metadata that points outside of itself; says whether it is of a big-endian schema. */
export function checkMetadata(bytes: Uint8Array): { readonly bigEndian: boolean } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const check = new Check(view);
  check.table(targetOf(view, 0), 'Message', 0);
  return { bigEndian: check.bigEndian };
}

/** Where the offset at `at` leads; reads outside of the view are a RangeError. */
export function targetOf(view: DataView, at: number): number {
  return at + view.getUint32(at, true);
}

/** Where a field of a table is, or null when it is left out. */
export function fieldOf(view: DataView, table: number, number: number): number | null {
  const vtable = table - view.getInt32(table, true);
  const entry = 4 + 2 * number;
  if (entry + 2 > view.getUint16(vtable, true)) return null;
  const offset = view.getUint16(vtable + entry, true);
  return offset === 0 ? null : table + offset;
}

class Check {
  bigEndian = false;
  readonly #view: DataView;
  #tables = 0;

  constructor(view: DataView) {
    this.#view = view;
  }

  table(at: number, name: string, depth: number): void {
    if (depth > MAX_DEPTH || ++this.#tables > MAX_TABLES) throw new Error('metadata that is nested too deeply');
    for (const [number, target] of Object.entries(TABLES[name] ?? {})) {
      const place = fieldOf(this.#view, at, Number(number));
      if (place !== null) this.#follow(at, Number(number), place, target, depth);
    }
    const endianness = name === 'Schema' ? fieldOf(this.#view, at, 0) : null;
    if (endianness !== null) this.bigEndian = this.#view.getInt16(endianness, true) !== 0;
  }

  #follow(table: number, number: number, place: number, target: Target, depth: number): void {
    const to = targetOf(this.#view, place);
    if (target.kind === 'string') {
      this.#elements(to, 1);
    } else if (target.kind === 'vector') {
      this.#elements(to, target.bytes);
    } else if (target.kind === 'table') {
      this.table(to, target.name, depth + 1);
    } else if (target.kind === 'union') {
      const type = fieldOf(this.#view, table, number - 1);
      const name = type === null ? undefined : target.names[this.#view.getUint8(type)];
      this.table(to, name ?? 'other', depth + 1);
    } else {
      const count = this.#elements(to, 4);
      for (let i = 0; i < count; i++) this.table(targetOf(this.#view, to + 4 + 4 * i), target.name, depth + 1);
    }
  }

  #elements(at: number, bytes: number): number {
    const count = this.#view.getUint32(at, true);
    if (at + 4 + count * bytes > this.#view.byteLength) throw new Error(`metadata with a vector of ${count} elements`);
    return count;
  }
}
