// Cross-polytope hashing (Terasawa and Tanaka 2007; Andoni et al. 2015): a projected vector's bucket is the axis nearest
// to it, with its sign. Hyperplane hashing (Charikar 2002) is the form with one axis per part.
//
// A bucket number of `bits` bits is made of parts; a part of b bits tells 2^(b-1) axes and their sign. A vector whose
// projections are all zero lies on no axis: it goes, as every tie, to the lowest axis, the positive side.

/** How a bucket number is put together. */
export interface Partition {
  /** Projected numbers per vector. */
  readonly width: number;
  readonly parts: readonly Part[];
}

interface Part {
  /** The first of its projected numbers, and how many. */
  readonly from: number;
  readonly axes: number;
  /** Where its bits are in the bucket number. */
  readonly shift: number;
}

/** The buckets of one part in the order of their cost for a query: what the query must move by to hash there, squared. */
export interface Choices {
  /** Bits of the bucket number, in place. */
  readonly codes: Uint32Array;
  /** Ascending from 0. */
  readonly costs: Float64Array;
}

export type HashForm = 'cross-polytope' | 'hyperplane';

/** Buckets per table are numbered by at most this many bits. */
export const MAX_BITS = 24;
/** The widest part: 64 axes. Past that a part sorts more than hashing gains. */
const MOST_PART_BITS = 7;

export function partition(bits: number, form: HashForm): Partition {
  const count = form === 'hyperplane' ? bits : Math.ceil(bits / MOST_PART_BITS);
  const parts: Part[] = [];
  let width = 0;
  let shift = 0;
  for (let part = 0; part < count; part++) {
    const own = Math.floor(bits / count) + (part < bits % count ? 1 : 0);
    parts.push({ from: width, axes: 2 ** (own - 1), shift });
    width += 2 ** (own - 1);
    shift += own;
  }
  return { width, parts };
}

/** The bucket of the projected vector that begins at `at`. */
export function bucketOf({ parts }: Partition, projected: Float32Array, at: number): number {
  let bucket = 0;
  for (const { from, axes, shift } of parts) {
    let axis = 0;
    let most = -1;
    for (let i = 0; i < axes; i++) {
      const size = Math.abs(projected[at + from + i] as number);
      if (size > most) {
        most = size;
        axis = i;
      }
    }
    const negative = (projected[at + from + axis] as number) < 0 ? 1 : 0;
    bucket += (2 * axis + negative) * 2 ** shift;
  }
  return bucket;
}

/**
 * The choices of every part for a projected query. The cost of an axis is (largest - own)^2 with the projection in its
 * direction (Andoni et al. 2015, section 5; Lv et al. 2007 for hyperplanes, where it is the squared distance times 4).
 */
export function choicesOf({ parts }: Partition, projected: Float32Array): readonly Choices[] {
  return parts.map(({ from, axes, shift }) => {
    const own = projected.subarray(from, from + axes);
    const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const costs = Float64Array.from({ length: 2 * axes }, (_, code) => {
      const value = own[code >> 1] as number;
      return (largest - (code % 2 === 0 ? value : -value)) ** 2;
    });
    const order = Uint32Array.from(costs.keys()).sort((a, b) => (costs[a] as number) - (costs[b] as number) || a - b);
    return {
      codes: order.map((code) => code * 2 ** shift),
      costs: Float64Array.from(order, (code) => costs[code] as number),
    };
  });
}
