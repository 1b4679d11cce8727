// rabitq: 1 to 12 bits per dimension of what a dense embedding's cluster leaves of it, in a rotated basis; see
// native/src/rabitq.h for the form and docs/codecs.md for what it loses.

import { native } from '../native.ts';
import { type Codec, CodecError, OptionError } from './codec.ts';
import { copyDense } from './dense-copy.ts';
import { numberOption, wholeOption } from './options.ts';
import { RabitqEncoder } from './rabitq-encoder.ts';
import type { RabitqForm } from './rabitq-space.ts';
import { openSq8Clusters } from './sq8-clusters.ts';
import { requireDense, Sq8Encoder } from './sq8-encoder.ts';

const MOST_BITS = 12;
/** Where neither bits nor bytes are given: about an eighth of float32, and just that where codes can be folded. */
const DEFAULT_BITS = 4;
/** The one number of bits that codes with their factors within have, and the fewest dimensions: eight a group. */
const FOLDED_BITS = 4;
const LEAST_FOLDED_DIMS = 64;
/** Of a plane of one bit. */
const DIMS_PER_BYTE = 8;

export const rabitq: Codec = {
  name: 'rabitq',
  optionKeys: ['normalize', 'bits', 'scan_bits', 'bytes_per_item'],

  encoder(source, options) {
    requireDense('rabitq', source);
    const form = formFor(source.dims, options);
    return new RabitqEncoder(new Sq8Encoder('rabitq', source, options), source.dims, form, itemBytes(form));
  },

  open(manifest, items, section) {
    const { rabitq: stored, name, dims } = manifest;
    if (stored === undefined) throw new CodecError(`modality ${name}: codec rabitq without its parameters`);
    const parameters = { dims, bits: stored.bits, scanBits: stored.scan_bits, fullDims: stored.full_dims };
    const { representatives, spread, groups } = openSq8Clusters(manifest, section);
    if (stored.largest_factor !== undefined) {
      const largest = stored.largest_factor;
      const codes = native.openFolded(items, dims, largest, section('codes'), section('starts'), representatives);
      return { codes, representatives, spread, groups };
    }
    const codes = native.openRabitq(items, parameters, section('codes'), section('codes-refine'), representatives);
    return { codes, representatives, spread, groups };
  },

  copy: copyDense,
};

/** As given, or the most bits that the given bytes an item hold; with nothing given an eighth of float32. */
function formFor(dims: number, options: ReadonlyMap<string, string>): RabitqForm {
  const bytes = numberOption(options, 'bytes_per_item', 0, 1, Number.MAX_SAFE_INTEGER);
  if (bytes === 0) {
    const whole = withBits(dims, wholeOption(options, 'bits', DEFAULT_BITS, 1, MOST_BITS), options);
    return { ...whole, folded: !options.has('bits') && foldable(dims, options) };
  }
  if (options.has('bits')) {
    throw new OptionError(`bits=${options.get('bits')}: bytes_per_item is given too; leave one of them out`);
  }
  const fewest = wholeOption(options, 'scan_bits', 1, 1, 4);
  for (let bits = MOST_BITS; bits >= fewest; bits--) {
    const whole = withBits(dims, bits, options);
    // Better than a grid of even steps, and smaller.
    const folded = { ...whole, folded: true };
    if (bits === FOLDED_BITS && foldable(dims, options) && itemBytes(folded) <= bytes) return folded;
    if (itemBytes(whole) <= bytes) return whole;
    const part = inPart(whole, bytes, options);
    if (part !== null) return part;
  }
  const least = Math.ceil(itemBytes(withBits(dims, fewest, options)));
  throw new OptionError(
    `bytes_per_item=${options.get('bytes_per_item')}: codec=rabitq takes at least ${least} for ${dims} dimensions; ` +
      'give that much',
  );
}

/** With the lowest bit in as many dimensions as the bytes hold, or null where that is none. */
function inPart({ dims, bits }: RabitqForm, bytes: number, options: ReadonlyMap<string, string>): RabitqForm | null {
  if (bits === 1) return null;
  // The lowest bit lies apart from those of the scan.
  const { scanBits } = withBits(dims, bits - 1, options, scanBitsFor(bits - 1));
  const parameters = { dims, bits, scanBits, fullDims: 1, folded: false };
  const further = Math.floor(bytes - itemBytes(parameters));
  return further < 0 ? null : { ...parameters, fullDims: Math.min(dims, DIMS_PER_BYTE * (1 + further)) };
}

function withBits(
  dims: number,
  bits: number,
  options: ReadonlyMap<string, string>,
  standard: number = scanBitsFor(bits),
): RabitqForm {
  const scanBits = wholeOption(options, 'scan_bits', standard, 1, 4);
  if (scanBits === 3) throw new OptionError('scan_bits=3: expected 1, 2 or 4');
  if (scanBits > bits) throw new OptionError(`scan_bits=${scanBits}: a code has ${bits} bits; give at most that many`);
  return { dims, bits, scanBits, fullDims: dims, folded: false };
}

/** What measured best for so many bits: docs/codecs.md. */
function scanBitsFor(bits: number): number {
  return bits >= 4 ? 4 : bits >= 2 ? 2 : 1;
}

/** With fewer dimensions a factor within the codes costs more than it saves. */
function foldable(dims: number, options: ReadonlyMap<string, string>): boolean {
  return dims >= LEAST_FOLDED_DIMS && !options.has('scan_bits');
}

/** Of an item's codes in the index. */
function itemBytes(form: RabitqForm): number {
  if (form.folded) return native.foldedCodesBytes(16, form.dims) / 16;
  return native.rabitqCodesBytes(16, form) / 16 + native.rabitqRefineBytes(1, form);
}
