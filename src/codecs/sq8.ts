// sq8: one byte per dimension of a dense embedding, each dimension on its own scale; see native/src/sq8.h for the
// arithmetic and docs/codecs.md for the error bounds.

import { native } from '../native.ts';
import { type Codec, OptionError } from './codec.ts';
import { copyDense } from './dense-copy.ts';
import { numberOption } from './options.ts';
import { openSq8Clusters } from './sq8-clusters.ts';
import { Sq8Encoder, sq8ItemBytes } from './sq8-encoder.ts';

export const sq8: Codec = {
  name: 'sq8',
  optionKeys: ['normalize', 'bytes_per_item'],

  encoder(source, options) {
    const encoder = new Sq8Encoder('sq8', source, options);
    const needed = sq8ItemBytes(source.dims);
    if (numberOption(options, 'bytes_per_item', needed, 1, Number.MAX_SAFE_INTEGER) < needed) {
      throw new OptionError(
        `bytes_per_item=${options.get('bytes_per_item')}: codec=sq8 takes ${needed} for ${source.dims} dimensions; ` +
          'give that much, or use codec=rabitq',
      );
    }
    return encoder;
  },

  open(manifest, items, section) {
    const { offset, step, ...clusters } = openSq8Clusters(manifest, section);
    return { codes: native.openSq8(items, offset, step, section('codes')), ...clusters };
  },

  copy: copyDense,
};
