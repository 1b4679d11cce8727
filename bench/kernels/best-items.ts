// Searches for the best: everything (ratio_reach), the best clusters (ratio_fine), and which clusters those are. Each row is
// the exported operation that its kernel is most of: exact scores of what is left decide, and are part of it.

import { native } from '../../src/native.ts';
import type { CellsHandle, HeadHandle } from '../../src/native-types.ts';
import { seededRandom } from '../../src/random.ts';
import { cellsOf } from './cells.ts';
import { cpuNs, FROM_MEMORY, IN_CACHE, type Line, type Place, randomModel, SEED } from './line.ts';
import { type RandomCodes, ratioCodes, sq8Codes, TILE_ROWS } from './random-codes.ts';

/** Distinct rows where the best are looked for: next to none are equal. */
const DISTINCT_ROWS = 2 ** 18;
const CLUSTER_ITEMS = 64;
const NOTHING = new Uint32Array(0);
const NEVER = Number.POSITIVE_INFINITY;
/** Of all items one in so many is wanted. */
const SCANNED_PER_WANTED = 4096;
/** What a round reads. */
const CLUSTERS = 256;
const CANDIDATES = 1000;
const CLUSTER_LISTS = 20;
/** From so large weights on ratio codes are scored in 8 bits alone (docs/codecs.md), with the same answers. */
const TOO_LARGE_FOR_FLOATS = 2 ** 91;

/** The best of everything: ratio_reach. */
export function reachLines(): readonly Line[] {
  return [128, 1024].flatMap((dims) => [IN_CACHE, FROM_MEMORY].map((place) => reachLine(dims, place)));
}

function reachLine(dims: number, place: Place): Line {
  const { codes, count } = distinct(dims, place);
  const head = headOf(cellsOf(codes, count, CLUSTER_ITEMS), dims);
  const wanted = Math.ceil(count / SCANNED_PER_WANTED);
  const items = new Uint32Array(wanted);
  const scores = new Float64Array(wanted);
  const [scan] = cpuNs(
    [{ name: 'scan', run: () => native.scanAll(head, NOTHING, 1, NEVER, items, scores) }],
    place === IN_CACHE ? place.calls : 1,
  ) as [number];
  return {
    kernel: `best of all, one in ${SCANNED_PER_WANTED}, ${codes.name}, ${place.name}`,
    unit: 'vector',
    ns: scan / count,
    bytes: codes.bytesPerVector,
    javascriptNs: null,
  };
}

/** The best of few clusters: ratio_fine where there is one, and the 8-bit scan beside it. One alone is the kernel's time. */
export function fineLines(): readonly Line[] {
  return [IN_CACHE, FROM_MEMORY].flatMap((place) => {
    const { codes, count } = distinct(1024, place);
    const cells = cellsOf(codes, count, CLUSTER_ITEMS);
    const random = seededRandom(SEED, 'clusters');
    const lists = Array.from({ length: CLUSTER_LISTS }, () =>
      Uint32Array.from({ length: CLUSTERS }, () => random.below(count / CLUSTER_ITEMS)),
    );
    return [1, CANDIDATES].flatMap((wanted) => fineLinesOf(codes, cells, lists, wanted, place));
  });
}

function fineLinesOf(
  codes: RandomCodes,
  cells: CellsHandle,
  lists: readonly Uint32Array[],
  wanted: number,
  place: Place,
): readonly Line[] {
  const items = new Uint32Array(wanted);
  const scores = new Float64Array(wanted);
  const counts = new Uint32Array(1);
  const scan = (name: string, factor: number) => {
    const head = headOf(cells, codes.dims, factor);
    const run = (i: number) =>
      native.scanClusters(head, lists[i] as Uint32Array, wanted, NOTHING, 1, NEVER, items, scores, counts);
    return { name, run };
  };
  const contestants = [scan('usual', 1), scan('8 bits', TOO_LARGE_FOR_FLOATS)];
  const [usual, eightBits] = cpuNs(contestants, lists.length) as [number, number];
  const line = (name: string, ns: number): Line => ({
    kernel: `best ${wanted} of ${CLUSTERS} clusters${name}, ${codes.name}, ${place.name}`,
    unit: 'vector',
    ns: ns / (CLUSTERS * CLUSTER_ITEMS),
    bytes: 0,
    javascriptNs: null,
  });
  return [line('', usual), line(' by 8 bits', eightBits)];
}

/** The 256 best of many representatives. */
export function selectLines(): readonly Line[] {
  return [ratioCodes(1024, 16), sq8Codes(128)].map((codes) => {
    const representatives = 64 * TILE_ROWS;
    const cells = cellsOf(codes, representatives, 1);
    const { weights, bias } = randomModel(codes.dims);
    const chosen = new Uint32Array(CLUSTERS);
    const select = () => native.selectClusters(native.linearHead(cells, weights, bias), representatives, chosen);
    const [ns] = cpuNs([{ name: 'select', run: select }], 2) as [number];
    return {
      kernel: `select ${CLUSTERS} of ${representatives} clusters, ${codes.name}`,
      unit: 'cluster',
      ns: ns / representatives,
      bytes: codes.bytesPerVector,
      javascriptNs: null,
    };
  });
}

function distinct(dims: number, place: Place): { readonly codes: RandomCodes; readonly count: number } {
  const rows = place === IN_CACHE ? TILE_ROWS : DISTINCT_ROWS;
  const codes = ratioCodes(dims, 6, rows);
  return { codes, count: Math.ceil(place.bytes / codes.bytesPerVector / rows) * rows };
}

function headOf(cells: CellsHandle, dims: number, factor = 1): HeadHandle {
  const { weights, bias } = randomModel(dims);
  const scaled = weights.map((weight) => weight * factor);
  return native.linearHead(cells, scaled, bias * factor);
}
