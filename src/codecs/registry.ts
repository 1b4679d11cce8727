// Codec name -> codec.

import { type Codec, type CodecName, OptionError, type VectorSource } from './codec.ts';
import { numberOption } from './options.ts';
import { rabitq } from './rabitq.ts';
import { ratio } from './ratio.ts';
import { sq8 } from './sq8.ts';

const codecs: Readonly<Record<CodecName, Codec>> = { ratio, sq8, rabitq };

/** Every key of --modality that some codec reads. */
export const codecKeys: readonly string[] = [
  ...new Set(['codec', ...Object.values(codecs).flatMap((codec) => codec.optionKeys)]),
];

export function codecNamed(name: string): Codec {
  if (!Object.hasOwn(codecs, name)) {
    throw new OptionError(`codec=${name}: unknown codec; known are ${Object.keys(codecs).join(', ')}`);
  }
  return codecs[name as CodecName];
}

/**
 * The codec of the key `codec`; without it, the one that suits the source: ratio for sparse vectors; for dense ones sq8,
 * which takes a byte a dimension, or rabitq where fewer `bytes_per_item` are given.
 */
export function codecFor(options: ReadonlyMap<string, string>, source: Pick<VectorSource, 'kind' | 'dims'>): Codec {
  const name = options.get('codec');
  if (name !== undefined) return codecNamed(name);
  if (source.kind === 'sparse') return ratio;
  const wanted = numberOption(options, 'bytes_per_item', source.dims, 1, Number.MAX_SAFE_INTEGER);
  return wanted < source.dims ? rabitq : sq8;
}
