// Resizing as Pillow does it, bit for bit: what encoders were trained on went through Pillow, and libvips' kernels differ
// by several levels. Separable, the window widened when shrinking (antialiasing), columns first, weights in fixed point
// of 22 bits, rounded to 8 bits after each of the two passes. (Pillow: src/libImaging/Resample.c.)

/** Straight RGB, 8 bits each, row by row. */
export interface RgbPicture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The part of the resized picture that is wanted; the rest is not computed. */
export interface Region extends Size {
  readonly left: number;
  readonly top: number;
}

export const INTERPOLATIONS = ['bilinear', 'bicubic', 'lanczos', 'box', 'hamming'] as const;
export type Interpolation = (typeof INTERPOLATIONS)[number];

const CHANNELS = 3;
/** 32 bits less 8 of the pixel and 2 of room for weights beyond 1. */
const PRECISION_BITS = 22;
const ONE = 1 << PRECISION_BITS;
const HALF = 1 << (PRECISION_BITS - 1);

/** Resizes to `size` and returns `region` of it, which must lie inside. */
export function resample(picture: RgbPicture, size: Size, region: Region, interpolation: Interpolation): Uint8Array {
  const filter = FILTERS[interpolation];
  const rows = windows(picture.height, size.height, region.top, region.height, filter);
  // The first pass makes only the rows that the second reads.
  const firstRow = rows.first[0] as number;
  const last = region.height - 1;
  const endRow = (rows.first[last] as number) + (rows.count[last] as number);
  const narrow = squeezeColumns(picture, firstRow, endRow, size.width, region, filter);
  return size.height === picture.height ? narrow : squeezeRows(narrow, firstRow, rows, region);
}

/** Row-wise weighted sums of pixels: rows [firstRow, endRow), columns of the region. */
function squeezeColumns(
  { width, rgb }: RgbPicture,
  firstRow: number,
  endRow: number,
  resizedWidth: number,
  region: Region,
  filter: Filter,
): Uint8Array {
  const out = new Uint8Array((endRow - firstRow) * region.width * CHANNELS);
  if (resizedWidth === width) {
    for (let row = firstRow; row < endRow; row++) {
      const from = (row * width + region.left) * CHANNELS;
      out.set(rgb.subarray(from, from + region.width * CHANNELS), (row - firstRow) * region.width * CHANNELS);
    }
    return out;
  }
  const { first, count, weights, most } = windows(width, resizedWidth, region.left, region.width, filter);
  for (let row = firstRow, to = 0; row < endRow; row++) {
    for (let x = 0; x < region.width; x++, to += CHANNELS) {
      let from = (row * width + (first[x] as number)) * CHANNELS;
      const end = x * most + (count[x] as number);
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      for (let w = x * most; w < end; w++, from += CHANNELS) {
        const weight = weights[w] as number;
        red += weight * (rgb[from] as number);
        green += weight * (rgb[from + 1] as number);
        blue += weight * (rgb[from + 2] as number);
      }
      out[to] = clip(red);
      out[to + 1] = clip(green);
      out[to + 2] = clip(blue);
    }
  }
  return out;
}

/** Column-wise weighted sums of the rows of the first pass. */
function squeezeRows(narrow: Uint8Array, firstRow: number, rows: Windows, { width, height }: Size): Uint8Array {
  const rowBytes = width * CHANNELS;
  const out = new Uint8Array(height * rowBytes);
  const sums = new Float64Array(rowBytes);
  for (let y = 0; y < height; y++) {
    sums.fill(HALF);
    for (let w = 0; w < (rows.count[y] as number); w++) {
      const weight = rows.weights[y * rows.most + w] as number;
      const from = ((rows.first[y] as number) - firstRow + w) * rowBytes;
      for (let at = 0; at < rowBytes; at++) {
        sums[at] = (sums[at] as number) + weight * (narrow[from + at] as number);
      }
    }
    for (let at = 0; at < rowBytes; at++) out[y * rowBytes + at] = clip(sums[at] as number);
  }
  return out;
}

/** Sums stay below 2^31 in size: 255 times weights that add up to 1, and overshoot by less than a half. */
function clip(sum: number): number {
  const level = sum >> PRECISION_BITS;
  return level < 0 ? 0 : level > 255 ? 255 : level;
}

/** For each output pixel: the input pixels it reads and their weights, `most` places each. */
interface Windows {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Int32Array;
  readonly most: number;
}

function windows(inputs: number, outputs: number, firstOutput: number, wanted: number, filter: Filter): Windows {
  const scale = inputs / outputs;
  const widening = Math.max(scale, 1);
  const support = filter.support * widening;
  const most = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(wanted);
  const count = new Int32Array(wanted);
  const weights = new Int32Array(wanted * most);
  const exact = new Float64Array(most);
  for (let x = 0; x < wanted; x++) {
    if (inputs === outputs) {
      // This pass is left out: each pixel is itself.
      first[x] = firstOutput + x;
      count[x] = 1;
      weights[x * most] = ONE;
      continue;
    }
    const centre = (firstOutput + x + 0.5) * scale;
    const begin = Math.max(0, Math.trunc(centre - support + 0.5));
    const length = Math.min(inputs, Math.trunc(centre + support + 0.5)) - begin;
    let sum = 0;
    for (let i = 0; i < length; i++) {
      const weight = filter.weight((i + begin - centre + 0.5) * (1 / widening));
      exact[i] = weight;
      sum += weight;
    }
    first[x] = begin;
    count[x] = length;
    for (let i = 0; i < length; i++) {
      const share = sum === 0 ? (exact[i] as number) : (exact[i] as number) / sum;
      weights[x * most + i] = Math.trunc(share * ONE + (share < 0 ? -0.5 : 0.5));
    }
  }
  return { first, count, weights, most };
}

interface Filter {
  /** Half the width of the window, in input pixels at scale 1. */
  readonly support: number;
  weight(x: number): number;
}

const FILTERS: Readonly<Record<Interpolation, Filter>> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: {
    support: 1,
    weight(x) {
      const angle = Math.abs(x) * Math.PI;
      if (angle === 0) return 1;
      return Math.abs(x) >= 1 ? 0 : (Math.sin(angle) / angle) * (0.54 + 0.46 * Math.cos(angle));
    },
  },
  // Keys' cubic with a = -1/2.
  bicubic: {
    support: 2,
    weight(signed) {
      const x = Math.abs(signed);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
    },
  },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}
