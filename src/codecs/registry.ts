// Codec name -> codec.

import { type Codec, type CodecName, OptionError, type VectorSource } from './codec.ts';
import { ratio } from './ratio.ts';
import { sq8 } from './sq8.ts';

const codecs: Readonly<Record<CodecName, Codec>> = { ratio, sq8 };

/** Every key of --modality that some codec reads. */
export const codecKeys: readonly string[] = [
  ...new Set(['codec', ...Object.values(codecs).flatMap((codec) => codec.optionKeys)]),
];

/** The codec called `name`; without a name, the one that suits the source: ratio for sparse vectors, sq8 for dense. */
export function codecFor(name: string | undefined, source: Pick<VectorSource, 'kind'>): Codec {
  if (name === undefined) return source.kind === 'sparse' ? ratio : sq8;
  if (!Object.hasOwn(codecs, name)) {
    throw new OptionError(`codec=${name}: unknown codec; known are ${Object.keys(codecs).join(', ')}`);
  }
  return codecs[name as CodecName];
}
