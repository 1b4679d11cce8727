// Small ONNX models, written byte by byte: protocol buffers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.

import { writeFileSync } from 'node:fs';

/** The numbers of element types. */
const TYPES = { float32: 1, int64: 7, float16: 10 } as const;

export interface Value {
  readonly name: string;
  readonly type?: keyof typeof TYPES;
  /** Numbers, or names of sizes that are free. */
  readonly shape: readonly (number | string)[];
}

export interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, readonly number[] | number>>;
}

export interface Constant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

export interface Model {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly nodes: readonly Node[];
  readonly constants?: readonly Constant[];
}

export function writeModel(path: string, { inputs, outputs, nodes, constants = [] }: Model): string {
  const graph = [
    ...nodes.map((node) => field(1, nodeBytes(node))),
    field(2, text('graph')),
    ...constants.map((constant) => field(5, constantBytes(constant))),
    ...inputs.map((value) => field(11, valueBytes(value))),
    ...outputs.map((value) => field(12, valueBytes(value))),
  ];
  writeFileSync(path, Buffer.concat([number(1, 8), field(7, Buffer.concat(graph)), field(8, number(2, 13))]));
  return path;
}

function nodeBytes({ operator, inputs, outputs, attributes = {} }: Node): Buffer {
  return Buffer.concat([
    ...inputs.map((name) => field(1, text(name))),
    ...outputs.map((name) => field(2, text(name))),
    field(4, text(operator)),
    ...Object.entries(attributes).map(([name, value]) => {
      const values =
        typeof value === 'number'
          ? [number(3, value), number(20, 2)]
          : [...value.map((each) => number(8, each)), number(20, 7)];
      return field(5, Buffer.concat([field(1, text(name)), ...values]));
    }),
  ]);
}

function constantBytes({ name, shape, values }: Constant): Buffer {
  return Buffer.concat([
    ...shape.map((size) => number(1, size)),
    number(2, TYPES[values instanceof BigInt64Array ? 'int64' : 'float32']),
    field(8, text(name)),
    field(9, Buffer.from(values.buffer, values.byteOffset, values.byteLength)),
  ]);
}

function valueBytes({ name, type = 'float32', shape }: Value): Buffer {
  const sizes = shape.map((size) => field(1, typeof size === 'number' ? number(1, size) : field(2, text(size))));
  const tensor = Buffer.concat([number(1, TYPES[type]), field(2, Buffer.concat(sizes))]);
  return Buffer.concat([field(1, text(name)), field(2, field(1, tensor))]);
}

/** A field of bytes. */
function field(id: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint(id * 8 + 2), varint(bytes.length), bytes]);
}

/** A field of a whole number. */
function number(id: number, value: number): Buffer {
  return Buffer.concat([varint(id * 8), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

function text(value: string): Buffer {
  return Buffer.from(value, 'utf8');
}
