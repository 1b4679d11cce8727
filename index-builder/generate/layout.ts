// How a generated vector is packed: the papers' r64 form with six features, read back by index-builder/readers/r64.ts.

import type { R64Layout } from '../../src/native-types.ts';

export const FEATURES = 6;
/** A first score is code / 65535; 1 is certain. */
export const VALUE_LIMIT = 65_535;
/** A further score is the one before times code / 4095. */
export const RATIO_LIMIT = 4095;

export const LAYOUT: R64Layout = {
  features: FEATURES,
  idBits: 10,
  valueBits: 16,
  ratioBits: 12,
  idPadBits: 64 % 10,
  ratioPadBits: 64 % 12,
  valueDivisor: VALUE_LIMIT,
  ratioDivisor: RATIO_LIMIT,
};

export interface ModalityLayout {
  readonly name: 'visual' | 'text';
  readonly dims: number;
}

/** GoogLeNet's 1000 concepts and gensim's 100 topics (Exquisitor §4.3). */
export const VISUAL: ModalityLayout = { name: 'visual', dims: 1000 };
export const TEXT: ModalityLayout = { name: 'text', dims: 100 };
export const MODALITIES = [VISUAL, TEXT] as const;

export const WORD_FILES = ['init.u64', 'ids.u64', 'ratios.u64'] as const;
export const WORD_BYTES = 8;

/** A 64-bit word is written as two 32-bit halves, low one first. */
export const HALVES = 2;

/** layout.json: the keys that --modality would otherwise need. */
export function layoutJson({ dims }: ModalityLayout): string {
  const keys = {
    features: LAYOUT.features,
    id_bits: LAYOUT.idBits,
    value_bits: LAYOUT.valueBits,
    value_divisor: LAYOUT.valueDivisor,
    ratio_bits: LAYOUT.ratioBits,
    ratio_divisor: LAYOUT.ratioDivisor,
    dims,
  };
  return `${JSON.stringify(keys, null, 2)}\n`;
}

/** Words of one modality's items: init, ids and ratios, as 32-bit halves. */
export interface Words {
  readonly init: Uint32Array;
  readonly ids: Uint32Array;
  readonly ratios: Uint32Array;
}

export function newWords(rows: number): Words {
  return {
    init: new Uint32Array(rows * HALVES),
    ids: new Uint32Array(rows * HALVES),
    ratios: new Uint32Array(rows * HALVES),
  };
}

/**
 * Packs six features. Five further ids of 10 bits lie above 4 bits of padding, five further ratios of 12 bits above 4
 * (64 % 10 and 64 % 12), the second-strongest lowest.
 */
export function pack(words: Words, row: number, ids: Uint16Array, value: number, ratios: Uint16Array): void {
  const at = row * HALVES;
  const id3 = ids[3] as number;
  const ratio3 = ratios[3] as number;
  words.init[at] = ((ids[0] as number) << LAYOUT.valueBits) | value;
  words.init[at + 1] = 0;
  words.ids[at] = ((ids[1] as number) << 4) | ((ids[2] as number) << 14) | (id3 << 24);
  words.ids[at + 1] = (id3 >>> 8) | ((ids[4] as number) << 2) | ((ids[5] as number) << 12);
  words.ratios[at] = ((ratios[1] as number) << 4) | ((ratios[2] as number) << 16) | (ratio3 << 28);
  words.ratios[at + 1] = (ratio3 >>> 4) | ((ratios[4] as number) << 8) | ((ratios[5] as number) << 20);
}

/** Copies one item's words. */
export function copyWords(from: Words, fromRow: number, to: Words, toRow: number): void {
  const a = fromRow * HALVES;
  const b = toRow * HALVES;
  for (let half = 0; half < HALVES; half++) {
    to.init[b + half] = from.init[a + half] as number;
    to.ids[b + half] = from.ids[a + half] as number;
    to.ratios[b + half] = from.ratios[a + half] as number;
  }
}

export function clearWords(words: Words, row: number): void {
  const at = row * HALVES;
  for (let half = 0; half < HALVES; half++) {
    words.init[at + half] = 0;
    words.ids[at + half] = 0;
    words.ratios[at + half] = 0;
  }
}
