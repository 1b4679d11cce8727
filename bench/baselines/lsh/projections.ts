// Random projections for hashing: per table `width` numbers of every vector, from a seed. Sparse rows are multiplied by
// Gaussian numbers; dense rows are rotated by signs and fast Hadamard transforms (Andoni et al. 2015, section 5), so a
// projection costs d log d and not d x width.

import { seededRandom } from '../../../src/random.ts';
import { normals } from '../../datasets/synthetic.ts';
import type { PlainVectors } from '../plain-vectors.ts';

export interface Projections {
  /** Rows as `project` takes them: what all tables have in common is done once. */
  prepare(rows: PlainVectors): PlainVectors;
  /** The projections of one table: `width` numbers per row. */
  project(table: number, prepared: PlainVectors, out: Float32Array): void;
}

/** Gaussian numbers per table are kept for this many features; above, features share them with random signs. */
const HASHED_FEATURES = 1024;
/** Entries of a sparse row that are multiplied in one pass; addMultiples is written for four. */
const TOGETHER = 4;

/** Row . gaussian[table], for sparse rows. Features above HASHED_FEATURES are hashed onto them (as FALCONN does). */
export function gaussianProjections(dims: number, tables: number, width: number, seed: number): Projections {
  const slots = Math.min(dims, HASHED_FEATURES);
  const random = seededRandom(seed, 'lsh feature hashing');
  const slotOf = Uint16Array.from({ length: dims }, (_, d) => (dims <= slots ? d : random.below(slots)));
  const signOf = Int8Array.from({ length: dims }, () => (dims <= slots ? 1 : 1 - 2 * random.below(2)));
  const matrices = Array.from({ length: tables }, (_, table) => {
    const normal = normals(seededRandom(seed, `lsh table ${table}`));
    return Float32Array.from({ length: slots * width }, () => normal());
  });
  return {
    prepare: (rows) => rows,
    project(table, { rows, perRow, ids, values }, out) {
      const matrix = matrices[table] as Float32Array;
      const entries = Math.ceil(perRow / TOGETHER) * TOGETHER;
      const factors = new Float64Array(entries);
      const places = new Uint32Array(entries);
      for (let row = 0; row < rows; row++) {
        for (let j = 0, at = row * perRow; j < perRow; j++, at++) {
          const id = (ids as Uint32Array)[at] as number;
          factors[j] = (values[at] as number) * (signOf[id] as number);
          places[j] = (slotOf[id] as number) * width;
        }
        const own = out.subarray(row * width, (row + 1) * width).fill(0);
        for (let j = 0; j < entries; j += TOGETHER) addMultiples(matrix, factors, places, j, own);
      }
    },
  };
}

/** Adds the multiples of TOGETHER rows of the matrix: one pass over the sums instead of four. */
function addMultiples(
  matrix: Float32Array,
  factors: Float64Array,
  places: Uint32Array,
  j: number,
  sums: Float32Array,
): void {
  const a = factors[j] as number;
  const b = factors[j + 1] as number;
  const c = factors[j + 2] as number;
  const d = factors[j + 3] as number;
  if (a === 0 && b === 0 && c === 0 && d === 0) return;
  let atA = places[j] as number;
  let atB = places[j + 1] as number;
  let atC = places[j + 2] as number;
  let atD = places[j + 3] as number;
  for (let i = 0; i < sums.length; i++) {
    sums[i] =
      (sums[i] as number) +
      a * (matrix[atA++] as number) +
      b * (matrix[atB++] as number) +
      c * (matrix[atC++] as number) +
      d * (matrix[atD++] as number);
  }
}

/**
 * Dense rows: signs and a Hadamard transform over all dimensions, the same for all tables; then per table signs, a fold
 * to the table's width rounded up to a power of two, and a transform of that. The first `width` numbers are taken: the
 * directions of a table are orthogonal, those of two tables as good as independent.
 */
export function rotatedProjections(dims: number, tables: number, width: number, seed: number): Projections {
  const folded = powerOfTwo(width);
  const padded = Math.max(powerOfTwo(dims), folded);
  const signs = (stream: string): Int8Array => {
    const random = seededRandom(seed, stream);
    return Int8Array.from({ length: padded }, () => 1 - 2 * random.below(2));
  };
  const base = signs('lsh rotation');
  const tableSigns = Array.from({ length: tables }, (_, table) => signs(`lsh table ${table}`));
  const part = new Float32Array(folded);
  return {
    prepare({ rows, perRow, values }) {
      const rotated = new Float32Array(rows * padded);
      for (let row = 0; row < rows; row++) {
        const own = rotated.subarray(row * padded, (row + 1) * padded);
        for (let d = 0; d < perRow; d++) own[d] = (base[d] as number) * (values[row * perRow + d] as number);
        hadamard(own);
      }
      return { rows, dims: padded, perRow: padded, ids: null, values: rotated };
    },
    project(table, { rows, values }, out) {
      const own = tableSigns[table] as Int8Array;
      for (let row = 0; row < rows; row++) {
        part.fill(0);
        for (let d = 0, at = row * padded; d < padded; d++, at++) {
          const to = d & (folded - 1);
          part[to] = (part[to] as number) + (own[d] as number) * (values[at] as number);
        }
        hadamard(part);
        out.set(width === folded ? part : part.subarray(0, width), row * width);
      }
    },
  };
}

/** The Walsh-Hadamard transform in place, unscaled; the length is a power of two. */
function hadamard(values: Float32Array): void {
  for (let half = 1; half < values.length; half *= 2) {
    for (let from = 0; from < values.length; from += 2 * half) {
      for (let i = from; i < from + half; i++) {
        const a = values[i] as number;
        const b = values[i + half] as number;
        values[i] = a + b;
        values[i + half] = a - b;
      }
    }
  }
}

function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, least)));
}
