// An image encoder in ONNX form; the one file that knows onnxruntime-node, which is loaded only here. Inputs are told by
// the model's shapes, outputs by name or by being the only plain vectors.

import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { EmbedError, INSTALL } from './embed-error.ts';
import type { Size } from './resample.ts';
import { fromHalf, type Layout, toHalf } from './tensor.ts';

export const POOLS = ['none', 'average', 'first'] as const;
/** How more than one vector a picture becomes one: the mean over places, or the first token. */
export type Pool = (typeof POOLS)[number];

export interface EncoderOptions {
  readonly model: string;
  /** The input's height and width. */
  readonly size: Size;
  /** Pictures at a time; a model with a fixed number wins. */
  readonly batch: number;
  readonly threads: number;
  readonly output?: string;
  readonly layout?: Layout;
  readonly pool: Pool;
}

type Value = InferenceSession.ValueMetadata;
type TensorValue = Extract<Value, { isTensor: true }>;
type Ort = typeof import('onnxruntime-node');

export class Encoder {
  readonly layout: Layout;
  /** Pictures in one run. */
  readonly batch: number;
  /** Pictures that the model always takes, or null. */
  readonly #fixedBatch: number | null;
  readonly #ort: Ort;
  readonly #session: InferenceSession;
  readonly #options: EncoderOptions;
  readonly #input: TensorValue;
  readonly output: string;

  constructor(ort: Ort, session: InferenceSession, options: EncoderOptions) {
    this.#ort = ort;
    this.#session = session;
    this.#options = options;
    this.#input = inputOf(session, options);
    this.layout = options.layout ?? layoutOf(this.#input, options.model);
    const [first] = this.#input.shape;
    this.#fixedBatch = typeof first === 'number' && first > 0 ? first : null;
    this.batch = this.#fixedBatch ?? options.batch;
    this.output = outputOf(session, options);
    requireSize(this.#input, this.layout, options);
  }

  /** The vectors of `count` pictures, one after the other; `pixels` holds `batch` pictures. */
  async encode(pixels: Float32Array, count: number): Promise<{ dims: number; vectors: Float32Array }> {
    const { width, height } = this.#options.size;
    const rows = this.#fixedBatch ?? count;
    const values = pixels.subarray(0, rows * 3 * width * height);
    // What a fixed batch has too many of answers something that nobody reads.
    values.fill(0, count * 3 * width * height);
    const shape = this.layout === 'nchw' ? [rows, 3, height, width] : [rows, height, width, 3];
    const { Tensor } = this.#ort;
    const tensor =
      this.#input.type === 'float16'
        ? new Tensor('float16', toHalf(values), shape)
        : new Tensor('float32', values, shape);
    let answers: InferenceSession.OnnxValueMapType;
    try {
      answers = await this.#session.run({ [this.#input.name]: tensor }, [this.output]);
    } catch (error) {
      throw new EmbedError(
        `${this.#options.model}: fails on an input of ${shape.join(' x ')}: ${(error as Error).message}`,
      );
    }
    return this.#vectors(answers[this.output] as Tensor, rows, count);
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  #vectors(answer: Tensor, rows: number, count: number): { dims: number; vectors: Float32Array } {
    const { model, pool } = this.#options;
    const { dims: shape } = answer;
    const all = floatsOf(answer, `${model}: output ${this.output}`);
    if (shape[0] !== rows) {
      throw new EmbedError(
        `${model}: output ${this.output} has shape ${shape.join(' x ')} for ${rows} pictures; choose another --output`,
      );
    }
    if (shape.length === 2) {
      const dims = shape[1] as number;
      return { dims, vectors: all.slice(0, count * dims) };
    }
    const places = placesOf(shape, this.layout);
    if (places === null || pool === 'none' || (pool === 'first' && shape.length !== 3)) {
      throw new EmbedError(
        `${model}: output ${this.output} has shape ${shape.join(' x ')}; expected pictures x dims, or --pool average for ` +
          'feature maps (4 dimensions) and --pool average or first for tokens (3 dimensions)',
      );
    }
    return { dims: places.dims, vectors: pooled(all, count, places, pool) };
  }
}

/** Throws EmbedError: without the package, with the command that installs it; for a model that does not fit, with why. */
export async function openEncoder(options: EncoderOptions): Promise<Encoder> {
  let ort: Ort;
  try {
    ort = await import('onnxruntime-node');
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new EmbedError(`onnxruntime-node, which runs encoders, cannot be loaded (${reason}); run: ${INSTALL}`);
  }
  let session: InferenceSession;
  try {
    session = await ort.InferenceSession.create(options.model, {
      executionProviders: ['cpu'],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      // Threads that wait for work must not take the cores from those that decode.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
      logSeverityLevel: 3,
    });
  } catch (error) {
    throw new EmbedError(
      `${options.model}: is no model that can be loaded (${(error as Error).message}); export it to ONNX again`,
    );
  }
  return new Encoder(ort, session, options);
}

function inputOf(session: InferenceSession, { model }: EncoderOptions): TensorValue {
  const [input, ...more] = session.inputMetadata;
  if (input === undefined || more.length > 0 || !input.isTensor || input.shape.length !== 4) {
    throw new EmbedError(
      `${model}: takes ${session.inputMetadata.map(describe).join(', ')}; expected one input of 4 dimensions: export the image encoder alone`,
    );
  }
  if (input.type !== 'float32' && input.type !== 'float16') {
    throw new EmbedError(`${model}: takes ${describe(input)}; expected float32 or float16`);
  }
  return input;
}

function layoutOf(input: TensorValue, model: string): Layout {
  if (input.shape[1] === 3) return 'nchw';
  if (input.shape[3] === 3) return 'nhwc';
  throw new EmbedError(
    `${model}: takes ${describe(input)}; where the 3 colours are cannot be told: give --layout nchw or nhwc`,
  );
}

function requireSize(input: TensorValue, layout: Layout, { model, size }: EncoderOptions): void {
  const [height, width] = layout === 'nchw' ? input.shape.slice(2) : input.shape.slice(1, 3);
  const fits = (told: number | string | undefined, given: number): boolean =>
    typeof told !== 'number' || told <= 0 || told === given;
  if (fits(height, size.height) && fits(width, size.width)) return;
  throw new EmbedError(
    `${model}: takes ${describe(input)}, but pictures are made ${size.width} wide and ${size.height} high; change --resize and --crop`,
  );
}

function outputOf(session: InferenceSession, { model, output }: EncoderOptions): string {
  const all = session.outputMetadata;
  const list = all.map(describe).join(', ');
  if (output !== undefined) {
    if (all.some(({ name }) => name === output)) return output;
    throw new EmbedError(`${model}: has no output ${output}; it has ${list}`);
  }
  const plain = all.filter((value) => value.isTensor && value.shape.length === 2);
  const [only, ...more] = plain.length > 0 ? plain : all;
  if (only === undefined || more.length > 0)
    throw new EmbedError(`${model}: has outputs ${list}; choose one with --output`);
  return only.name;
}

function describe(value: Value): string {
  return value.isTensor ? `${value.name} (${value.type}, ${value.shape.join(' x ')})` : `${value.name} (no tensor)`;
}

function floatsOf(answer: Tensor, what: string): Float32Array {
  if (answer.type === 'float32') return answer.data as Float32Array;
  if (answer.type === 'float16') {
    // Where the engine has Float16Array, the data is one; its bits are what counts here.
    const { buffer, byteOffset, byteLength } = answer.data as Uint16Array;
    return fromHalf(new Uint16Array(buffer, byteOffset, byteLength / 2));
  }
  throw new EmbedError(`${what} is ${answer.type}; expected float32 or float16: choose another --output`);
}

interface Places {
  readonly dims: number;
  readonly places: number;
  /** From one dimension to the next of a place, and from one place to the next. */
  readonly dimStep: number;
  readonly placeStep: number;
}

/** Tokens are pictures x places x dims; feature maps lie as the input does. */
function placesOf(shape: readonly number[], layout: Layout): Places | null {
  const [, a = 0, b = 0, c = 0] = shape;
  if (shape.length === 3) return { dims: b, places: a, dimStep: 1, placeStep: b };
  if (shape.length !== 4) return null;
  return layout === 'nchw'
    ? { dims: a, places: b * c, dimStep: b * c, placeStep: 1 }
    : { dims: c, places: a * b, dimStep: 1, placeStep: c };
}

function pooled(
  all: Float32Array,
  count: number,
  { dims, places, dimStep, placeStep }: Places,
  pool: Pool,
): Float32Array {
  const vectors = new Float32Array(count * dims);
  const read = pool === 'first' ? 1 : places;
  for (let row = 0; row < count; row++) {
    for (let dim = 0; dim < dims; dim++) {
      const start = row * dims * places + dim * dimStep;
      let sum = 0;
      for (let place = 0; place < read; place++) sum += all[start + place * placeStep] as number;
      vectors[row * dims + dim] = sum / read;
    }
  }
  return vectors;
}
