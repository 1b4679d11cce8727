// Scores and squared distances of blocks in sequence (ratio_scan, sq8_scan, rabitq_scan, ratio_distance, sq8_distance) and
// of given items (sq8_dot, and plain C++ for ratio codes). Preparing the query is measured apart and taken off.

import { native } from '../../src/native.ts';
import { seededRandom } from '../../src/random.ts';
import { scoreRows } from '../baselines/float-scan.ts';
import type { PlainVectors } from '../baselines/plain-vectors.ts';
import type { Contestant } from '../measure.ts';
import { cellsOf } from './cells.ts';
import { cpuNs, FROM_MEMORY, IN_CACHE, type Line, type Place, randomModel, SEED } from './line.ts';
import type { RandomCodes } from './random-codes.ts';

/** Items scored one by one: what a round with r = 1000 does. */
const GIVEN_ITEMS = 1000;
const GIVEN_CALLS = 20;

/** In cache and from memory. JavaScript's loop stands in one of them: arithmetic is what it waits for. */
export function scanLines(codes: RandomCodes): readonly Line[] {
  return [IN_CACHE, FROM_MEMORY].flatMap((place) => linesAt(codes, place));
}

function linesAt(codes: RandomCodes, place: Place): readonly Line[] {
  const { blockItems, bytesPerVector, tileRows, plain } = codes;
  const items = Math.floor(place.window / bytesPerVector / blockItems) * blockItems;
  const windows = Math.floor(place.bytes / place.window);
  const handle = codes.open(Math.ceil((items * windows) / tileRows) * tileRows);
  const { weights, bias } = randomModel(codes.dims);
  const out = new Float32Array(items);
  const none = new Float32Array(0);
  let turn = 0;
  const first = (): number => (turn++ % windows) * (items / blockItems);
  const contestants: Contestant[] = [
    { name: 'prepare', run: () => native.scoreBlocks(handle, weights, bias, 0, none) },
    { name: 'score', run: () => native.scoreBlocks(handle, weights, bias, first(), out) },
  ];
  const line = (name: string, ns: number, javascriptNs: number | null): Line => ({
    kernel: `${name} ${codes.name}, ${place.name}`,
    unit: 'vector',
    ns: ns / items,
    bytes: bytesPerVector,
    javascriptNs,
  });
  // Distances of residual codes are those of decoded vectors: no kernel makes them.
  if (plain === null) {
    const [prepare, score] = cpuNs(contestants, place.calls) as [number, number];
    return [line('score', score - prepare, null)];
  }
  contestants.push(
    { name: 'prepare distance', run: () => native.distanceBlocks(handle, weights, 0, none) },
    { name: 'distance', run: () => native.distanceBlocks(handle, weights, first(), out) },
  );
  const peer = place === IN_CACHE ? floatsOf(plain, place.bytes) : null;
  const peerOut = new Float32Array(peer?.rows ?? 0);
  if (peer !== null) contestants.push({ name: 'javascript', run: () => scoreRows(peer, { weights, bias }, peerOut) });
  const [prepare, score, prepareDistance, distance, javascript] = cpuNs(contestants, place.calls) as [
    number,
    number,
    number,
    number,
    number?,
  ];
  return [
    line('score', score - prepare, javascript === undefined ? null : javascript / peerOut.length),
    line('distance', distance - prepareDistance, null),
  ];
}

/** Exact scores and distances of given items, spread over codes that no cache holds. */
export function givenLines(codes: RandomCodes): readonly Line[] {
  const count = Math.floor(FROM_MEMORY.bytes / codes.bytesPerVector / codes.tileRows) * codes.tileRows;
  const cells = cellsOf(codes, count, codes.tileRows);
  const { weights, bias } = randomModel(codes.dims);
  const random = seededRandom(SEED, 'given items');
  const lists = Array.from({ length: GIVEN_CALLS }, () =>
    Uint32Array.from({ length: GIVEN_ITEMS }, () => random.below(count)),
  );
  const out = new Float64Array(GIVEN_ITEMS);
  const none = new Uint32Array(0);
  const noScores = new Float64Array(0);
  const list = (i: number): Uint32Array => lists[i] as Uint32Array;
  const [prepare, score, prepareDistance, distance] = cpuNs(
    [
      { name: 'prepare', run: () => native.scoreItems(native.linearHead(cells, weights, bias), none, noScores) },
      { name: 'score', run: (i) => native.scoreItems(native.linearHead(cells, weights, bias), list(i), out) },
      { name: 'prepare distance', run: () => native.itemDistances(cells, weights, none, noScores) },
      { name: 'distance', run: (i) => native.itemDistances(cells, weights, list(i), out) },
    ],
    lists.length,
  ) as [number, number, number, number];
  const line = (kernel: string, ns: number): Line => ({
    kernel: `${kernel} ${codes.name}, ${FROM_MEMORY.name}`,
    unit: 'item',
    ns: ns / GIVEN_ITEMS,
    bytes: 0,
    javascriptNs: null,
  });
  return [line('exact score', score - prepare), line('exact distance', distance - prepareDistance)];
}

/** As many floats as make the peer as local as the codes are, of the tile's rows over and over. */
function floatsOf({ dims, perRow, ids, values }: PlainVectors, bytes: number): PlainVectors {
  const rows = Math.max(1, Math.floor(bytes / (perRow * (ids === null ? 4 : 8))));
  const length = rows * perRow;
  return {
    rows,
    dims,
    perRow,
    ids: ids === null ? null : Uint32Array.from({ length }, (_, i) => ids[i % ids.length] as number),
    values: Float32Array.from({ length }, (_, i) => values[i % values.length] as number),
  };
}
