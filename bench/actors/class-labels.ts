// Reads the class labels of a data set:
//   NAME.npy          one whole number an item
//   NAME_indptr.npy   with NAME_indices.npy beside it: item i is of classes indices[indptr[i] … indptr[i + 1] - 1]
//   FILE.csv          a header line; column `label`, and `item` where rows are not items in order or items have several
// and NAME_names.txt (or, for labels.npy, label_names.txt) names the classes where it is there, one a line.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { type DelimitedRow, delimitedRows } from '../../index-builder/readers/delimited-rows.ts';
import { parseNpyHeader } from '../../index-builder/readers/npy-array.ts';
import type { Classes } from './class-actors.ts';
import { ActorError } from './protocol.ts';

/** Class labels are read whole. */
const MAX_LABEL_BYTES = 1 << 30;

export function readNpyClasses(file: string, items: number): Classes {
  if (!file.endsWith('_indptr.npy')) {
    const labels = npyNumbers(file);
    requireRows(file, labels.length, items);
    const names = classNames(
      file.endsWith('/labels.npy') ? file.replace(/labels\.npy$/, 'label_names.txt') : null,
      file,
    );
    return collect(labels.length, function* (item) {
      yield names(labels[item] as number);
    });
  }
  const starts = npyNumbers(file);
  const indicesFile = file.replace(/_indptr\.npy$/, '_indices.npy');
  const indices = npyNumbers(indicesFile);
  requireRows(file, starts.length - 1, items);
  const ascending = starts.every((start, i) => i === 0 || start >= (starts[i - 1] as number));
  if (starts[0] !== 0 || !ascending || starts.at(-1) !== indices.length) {
    throw new ActorError(`${file}: must rise from 0 to the ${indices.length} entries of ${indicesFile}`);
  }
  const names = classNames(file.replace(/_indptr\.npy$/, '_names.txt'), file);
  return collect(items, function* (item) {
    for (let i = starts[item] as number; i < (starts[item + 1] as number); i++) yield names(indices[i] as number);
  });
}

export function readCsvClasses(file: string, items: number): Classes {
  requireLimited(file);
  let table: readonly DelimitedRow[];
  try {
    table = [...delimitedRows(file)];
  } catch (error) {
    throw new ActorError((error as Error).message);
  }
  const [names, ...rows] = table.map(({ cells }) => cells);
  const labelAt = names?.indexOf('label') ?? -1;
  const itemAt = names?.indexOf('item') ?? -1;
  if (labelAt < 0) throw new ActorError(`${file}: has no column label; expected label, or item and label`);
  if (itemAt < 0) requireRows(file, rows.length, items);
  const byItem = new Map<string, Set<number>>();
  rows.forEach((cells, row) => {
    const text = cells[itemAt] ?? '';
    const label = cells[labelAt] ?? '';
    const item = itemAt < 0 ? row : /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (!(item < items)) {
      throw new ActorError(`${file}: row ${row + 1} names item '${text}', expected 0 to ${items - 1}`);
    }
    if (label !== '') membersOf(byItem, label).add(item);
  });
  return byItem;
}

function collect(items: number, classesOf: (item: number) => Iterable<string>): Classes {
  const classes = new Map<string, Set<number>>();
  for (let item = 0; item < items; item++) for (const name of classesOf(item)) membersOf(classes, name).add(item);
  return classes;
}

function membersOf(classes: Map<string, Set<number>>, name: string): Set<number> {
  const members = classes.get(name) ?? new Set();
  classes.set(name, members);
  return members;
}

function classNames(namesFile: string | null, file: string): (number: number) => string {
  if (namesFile === null || !existsSync(namesFile)) return (number) => `class ${number}`;
  const names = readLimited(namesFile).toString('utf8').trimEnd().split('\n');
  return (number) => {
    const name = names[number];
    if (name === undefined) throw new ActorError(`${file}: has class ${number}, ${namesFile} names ${names.length}`);
    return name;
  };
}

function requireRows(file: string, rows: number, items: number): void {
  if (rows !== items) throw new ActorError(`${file}: has labels of ${rows} items, the index has ${items} items`);
}

const INTEGERS = {
  '|u1': Uint8Array,
  '|i1': Int8Array,
  '<u2': Uint16Array,
  '<i2': Int16Array,
  '<u4': Uint32Array,
  '<i4': Int32Array,
} as const;

/** The numbers of a one-dimensional .npy of integers. */
function npyNumbers(file: string): Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array {
  const bytes = readLimited(file);
  const version = bytes[6] ?? 0;
  const from = version === 1 ? 10 : 12;
  const data = from + (bytes.length < 12 ? 0 : version === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8));
  if (bytes.length < 12 || bytes.toString('latin1', 0, 6) !== '\x93NUMPY' || data > bytes.length) {
    throw new ActorError(`${file}: is not a .npy file; save the labels with np.save`);
  }
  const { descr, shape } = parseNpyHeader(file, bytes.toString('latin1', from, data));
  const type = Object.entries(INTEGERS).find(([code]) => code === descr)?.[1];
  if (type === undefined || shape.length !== 1) {
    const dimensions = `${shape.length} dimension${shape.length === 1 ? '' : 's'}`;
    throw new ActorError(`${file}: has dtype ${descr} and ${dimensions}, expected one of integers; a.astype('<i4')`);
  }
  const payload = bytes.buffer.slice(bytes.byteOffset + data, bytes.byteOffset + bytes.length) as ArrayBuffer;
  if (payload.byteLength !== (shape[0] as number) * type.BYTES_PER_ELEMENT) {
    throw new ActorError(`${file}: has ${payload.byteLength} bytes of data for ${shape[0]} labels; write it again`);
  }
  return new type(payload);
}

function readLimited(file: string): Buffer {
  requireLimited(file);
  return readable(file, () => readFileSync(file));
}

function requireLimited(file: string): void {
  const { size } = readable(file, () => statSync(file));
  if (size > MAX_LABEL_BYTES) throw new ActorError(`${file}: has ${size} bytes, at most ${MAX_LABEL_BYTES} are read`);
}

function readable<Result>(file: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw new ActorError(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code}); check --actors`);
  }
}
