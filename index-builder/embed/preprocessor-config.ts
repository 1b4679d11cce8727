// Hugging Face's preprocessor_config.json as Preprocessing. What it leaves open or what is not done here is refused by
// name: a guess would give embeddings that look right and are not.

import { EmbedError } from './embed-error.ts';
import { IMAGENET, type Preprocessing, type Resize } from './preprocessing.ts';
import type { Interpolation, Size } from './resample.ts';

/** Pillow's numbers. */
const RESAMPLE: Readonly<Record<number, Interpolation>> = {
  1: 'lanczos',
  2: 'bilinear',
  3: 'bicubic',
  4: 'box',
  5: 'hamming',
};
const NO_MEAN = [0, 0, 0] as const;
const NO_DEVIATION = [1, 1, 1] as const;

/** `known` says what flags give anyway, so that the file need not. */
export function parsePreprocessorConfig(path: string, text: string, known: Partial<Preprocessing> = {}): Preprocessing {
  const config = new Config(path, text);
  for (const key of ['do_pad', 'do_flip_channel_order', 'do_image_splitting', 'do_thumbnail']) {
    if (config.flag(key, false))
      config.refuse(key, 'is true, which farsight embed does not do', 'prepare the pictures');
  }
  if (config.has('crop_pct')) {
    config.refuse('crop_pct', 'is not supported', 'give --resize and --crop instead (for 0.875: 256 and 224)');
  }
  const crops = config.flag('do_center_crop', false);
  const normalises = config.flag('do_normalize', true);
  return {
    resize: known.resize ?? resizeOf(config, crops),
    crop: known.crop !== undefined ? known.crop : crops ? config.size('crop_size') : null,
    cropRounding: 'down',
    interpolation: known.interpolation ?? interpolationOf(config),
    scale: known.scale ?? (config.flag('do_rescale', true) ? config.number('rescale_factor', 1 / 255) : 1),
    mean: known.mean ?? (normalises ? config.channels('image_mean') : NO_MEAN),
    deviation: known.deviation ?? (normalises ? config.channels('image_std') : NO_DEVIATION),
    background: known.background !== undefined ? known.background : IMAGENET.background,
  };
}

/** A plain number is the shorter edge where a crop follows, and both edges where none does. */
function resizeOf(config: Config, crops: boolean): Resize {
  if (!config.flag('do_resize', true)) {
    return config.refuse('do_resize', 'is false, but pictures come in all sizes', 'give --resize');
  }
  const shortest = config.edge('size', 'shortest_edge') ?? (crops ? config.whole('size') : null);
  return shortest === null ? config.size('size') : { shortest };
}

function interpolationOf(config: Config): Interpolation {
  const code = config.number('resample', Number.NaN);
  const known = RESAMPLE[code];
  if (known !== undefined) return known;
  const found = Number.isNaN(code) ? 'is missing' : `is ${code}`;
  return config.refuse('resample', `${found}; expected 1 to 5 (lanczos, bilinear, …)`, 'give --interpolation');
}

/** The object of the file, with errors that name the key. */
class Config {
  readonly #path: string;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(path: string, text: string) {
    this.#path = path;
    let values: unknown;
    try {
      values = JSON.parse(text);
    } catch (error) {
      throw new EmbedError(`${path}: is not JSON (${(error as Error).message}); expected a preprocessor_config.json`);
    }
    if (!isRecord(values)) throw new EmbedError(`${path}: is no JSON object; expected a preprocessor_config.json`);
    this.#values = values;
  }

  refuse(key: string, found: string, remedy: string): never {
    throw new EmbedError(`${this.#path}: ${key} ${found}; ${remedy}`);
  }

  /** Null counts as absent, as it does where such files are read. */
  has(key: string): boolean {
    return Object.hasOwn(this.#values, key) && this.#values[key] !== null;
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.has(key) ? this.#values[key] : fallback;
    return typeof value === 'boolean' ? value : this.refuse(key, 'is not true or false', 'correct it');
  }

  number(key: string, fallback: number): number {
    const value = this.has(key) ? this.#values[key] : fallback;
    return typeof value === 'number' ? value : this.refuse(key, 'is not a number', 'correct it');
  }

  /** A plain whole number; null for anything else. */
  whole(key: string): number | null {
    const value = this.#values[key];
    return Number.isInteger(value) && (value as number) > 0 ? (value as number) : null;
  }

  /** A single edge like { "shortest_edge": 256 }; null where it is not given. */
  edge(key: string, name: string): number | null {
    const value = this.#values[key];
    const edge = isRecord(value) ? value[name] : undefined;
    return Number.isInteger(edge) && (edge as number) > 0 ? (edge as number) : null;
  }

  /** A number for both edges, or { "height", "width" }. */
  size(key: string): Size {
    const both = this.whole(key);
    if (both !== null) return { width: both, height: both };
    const [width, height] = [this.edge(key, 'width'), this.edge(key, 'height')];
    if (width !== null && height !== null) return { width, height };
    return this.refuse(key, 'is not a whole number, {shortest_edge} or {height, width}', `give --${flagOf(key)}`);
  }

  channels(key: string): readonly [number, number, number] {
    const value = this.#values[key];
    if (Array.isArray(value) && value.length === 3 && value.every((each) => typeof each === 'number')) {
      return value as unknown as readonly [number, number, number];
    }
    return this.refuse(key, 'is not a list of three numbers', `give --${key === 'image_mean' ? 'mean' : 'std'}`);
  }
}

function flagOf(key: string): string {
  return key === 'crop_size' ? 'crop' : 'resize';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
