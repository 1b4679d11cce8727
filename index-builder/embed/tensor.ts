// From a picture to the numbers of an encoder's input, and between half and single precision.

import { type Preprocessing, placement } from './preprocessing.ts';
import { type RgbPicture, resample } from './resample.ts';

/** Channels before pixels, or pixels with their channels. */
export type Layout = 'nchw' | 'nhwc';

/** Fills `out`, one picture's part of the tensor. */
export function fillTensor(picture: RgbPicture, preprocessing: Preprocessing, layout: Layout, out: Float32Array): void {
  const { size, region } = placement(preprocessing, picture);
  const rgb = resample(picture, size, region, preprocessing.interpolation);
  const pixels = region.width * region.height;
  const [channelStep, pixelStep] = layout === 'nchw' ? [pixels, 1] : [1, 3];
  for (let channel = 0; channel < 3; channel++) {
    // A level has 256 values: the same double arithmetic for each, rounded once to single precision.
    const mean = preprocessing.mean[channel] as number;
    const deviation = preprocessing.deviation[channel] as number;
    const values = Float32Array.from({ length: 256 }, (_, level) => (level * preprocessing.scale - mean) / deviation);
    for (let pixel = 0; pixel < pixels; pixel++) {
      out[channel * channelStep + pixel * pixelStep] = values[rgb[pixel * 3 + channel] as number] as number;
    }
  }
}

const bits = new Uint32Array(1);
const asFloat = new Float32Array(bits.buffer);

/** Bits of IEEE half precision, rounded to nearest even. */
export function toHalf(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, (value) => {
    asFloat[0] = value;
    const sign = ((bits[0] as number) >>> 16) & 0x8000;
    const size = Math.abs(value);
    if (Number.isNaN(size)) return sign | 0x7e00;
    // Half of the last step above the largest half (65504) rounds to infinity.
    if (size >= 65520) return sign | 0x7c00;
    // Below 2^-14 halves are whole multiples of 2^-24.
    if (size < 2 ** -14) return sign | roundEven(size * 2 ** 24);
    const exponent = (((bits[0] as number) >>> 23) & 255) - 127;
    // A mantissa that rounds up to 2048 carries into the exponent by itself.
    return sign | (((exponent + 14) << 10) + roundEven(size * 2 ** (10 - exponent)));
  });
}

export function fromHalf(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const mantissa = half & 1023;
    if (exponent === 31) return mantissa === 0 ? sign * Infinity : Number.NaN;
    return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
  });
}

function roundEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
