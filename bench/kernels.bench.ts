// The hot loops, each instruction set in a process of its own (KERNELS_ISA), in cache and out of it, beside the scalar
// table and a plain JavaScript float32 loop.
//
//   node dist/bench/kernels.bench.js [--passes 3]
//
// ns are CPU time per vector (per call where the row says so); preparing the query is measured apart and taken off.

import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { trainLinearSvm } from '../src/models/linear-svm.ts';
import type { LinearModel, TrainingRows } from '../src/models/model.ts';
import { native } from '../src/native.ts';
import type { CellsHandle, CodesHandle, RatioParameters } from '../src/native-types.ts';
import { seededRandom } from '../src/random.ts';
import { ROUND_DEFAULTS } from '../src/round-request.ts';
import { scoreRows } from './baselines/float-scan.ts';
import type { PlainVectors } from './baselines/plain-vectors.ts';
import { normals } from './datasets/synthetic.ts';
import { type Contestant, compare, printTable, quantiles, short, writeRun } from './measure.ts';

const ISAS = ['scalar', 'avx2', 'avx512', 'neon'];
const SEED = 7;
/** Bytes of codes that stay in a core's second-level cache, and that do not fit any cache. */
const IN_CACHE_BYTES = 256 * 1024;
const OUT_OF_CACHE_BYTES = 64 * 1024 * 1024;
/** Distinct rows that codes are tiled from; the addresses differ, the contents need not. */
const TILE_ROWS = 4096;
const REPETITIONS = 5;
/** Items scored one by one, and candidates put in order: what a round with r = 1000 does. */
const GIVEN_ITEMS = 1000;

/** Nanoseconds per unit of one kernel on one instruction set, and of the JavaScript loop beside it. */
interface Line {
  readonly kernel: string;
  readonly unit: string;
  readonly ns: number;
  /** Bytes a unit reads, for bandwidth; 0 where that says nothing. */
  readonly bytes: number;
  readonly javascriptNs: number | null;
}

const { values: flags } = parseArgs({
  options: { passes: { type: 'string', default: '3' }, child: { type: 'boolean' } },
});
if (flags.child) process.stdout.write(JSON.stringify(measureAll()));
else report(Number(flags.passes));

/** Runs the instruction sets in turns, `passes` times, and takes the median of each line. */
function report(passes: number): void {
  const runs = new Map<string, Line[][]>();
  for (let pass = 0; pass < passes; pass++) {
    for (const isa of ISAS) {
      const child = spawnSync(process.execPath, [process.argv[1] as string, '--child'], {
        env: { ...process.env, KERNELS_ISA: isa },
        encoding: 'utf8',
        maxBuffer: 2 ** 26,
      });
      // A table that this CPU does not run refuses to load.
      if (child.status !== 0 && child.stderr.includes('cannot run here')) continue;
      if (child.status !== 0) throw new Error(`${isa}: ${child.stderr}`);
      runs.set(isa, [...(runs.get(isa) ?? []), JSON.parse(child.stdout) as Line[]]);
    }
  }
  const isas = [...runs.keys()];
  const best = isas.at(-1) as string;
  const median = (isa: string, i: number, of: (line: Line) => number | null): number =>
    quantiles((runs.get(isa) as Line[][]).map((lines) => of(lines[i] as Line) ?? Number.NaN)).median;
  const results = ((runs.get(best) as Line[][])[0] as Line[]).map(({ kernel, unit, bytes, javascriptNs }, i) => ({
    kernel,
    unit,
    bytes,
    ns: Object.fromEntries(isas.map((isa) => [isa, median(isa, i, ({ ns }) => ns)])),
    javascriptNs: javascriptNs === null ? null : median(best, i, (line) => line.javascriptNs),
  }));
  printTable(
    `Kernels, ns per unit of CPU time (median of ${passes} processes each, in turns; seed ${SEED})`,
    results.map(({ kernel, unit, bytes, ns, javascriptNs }) => {
      const bestNs = ns[best] as number;
      return {
        kernel,
        unit,
        javascript: javascriptNs === null ? '' : short(javascriptNs),
        ...Object.fromEntries(isas.map((isa) => [isa, short(ns[isa] as number)])),
        'GB/s': bytes === 0 ? '' : short(bytes / bestNs),
        'x scalar': short((ns.scalar as number) / bestNs),
        'x javascript': javascriptNs === null ? '' : short(javascriptNs / bestNs),
      };
    }),
  );
  process.stdout.write(`\n${writeRun('kernels', { seed: SEED, passes, results })}\n`);
}

function measureAll(): readonly Line[] {
  const ratios = [
    [128, 6],
    [1024, 5],
    [1024, 6],
    [1024, 7],
    [12_988, 5],
  ] as const;
  return [
    ...ratios.flatMap(([dims, features]) => scanLines(`ratio ${features} of ${dims}`, ratioCodes(dims, features))),
    ...[64, 128, 512, 1280].flatMap((dims) => scanLines(`sq8 ${dims}-d`, sq8Codes(dims))),
    ...[ratioCodes(12_988, 5), sq8Codes(128), sq8Codes(1280)].flatMap(givenLines),
    ...selectLines(),
    ...svmLines(),
    orderLine(),
  ];
}

/** Codes with random contents, and the same vectors in plain form (one tile of them). */
interface RandomCodes {
  readonly name: string;
  readonly bytesPerVector: number;
  readonly blockItems: number;
  readonly plain: PlainVectors;
  /** `count` vectors, a multiple of TILE_ROWS. */
  open(count: number): CodesHandle;
}

function ratioCodes(dims: number, features: number): RandomCodes {
  const random = seededRandom(SEED, `ratio ${dims} ${features}`);
  const length = TILE_ROWS * features;
  const ids = new Uint16Array(length);
  const codes = new Uint32Array(length);
  for (let row = 0; row < TILE_ROWS; row++) {
    const distinct = new Set<number>();
    while (distinct.size < features) distinct.add(random.below(dims));
    ids.set([...distinct], row * features);
  }
  const parameters: RatioParameters = { dims, features, valueBits: 24, scale: 2 ** -24, maxSum: features };
  for (let i = 0; i < length; i++) codes[i] = random.below(255 * 2 ** 16);
  const blocks = new Uint8Array(native.ratioCodesBytes(TILE_ROWS, parameters));
  const refine = new Uint8Array(native.ratioRefineBytes(TILE_ROWS, parameters));
  native.packRatio(ids, codes, ascending(TILE_ROWS), parameters, blocks, refine);
  const values = Float32Array.from(codes, (code) => code * parameters.scale);
  const tile = (native.ratioCodesBytes(128, parameters) - native.ratioCodesBytes(64, parameters)) / 64;
  return {
    name: `ratio ${features} of ${dims}`,
    bytesPerVector: tile,
    blockItems: 64,
    plain: { rows: TILE_ROWS, dims, perRow: features, ids: Uint32Array.from(ids), values },
    open: (count) =>
      native.openRatio(
        count,
        parameters,
        native.memorySection(tiled(blocks, TILE_ROWS * tile, native.ratioCodesBytes(count, parameters))),
        native.memorySection(tiled(refine, TILE_ROWS * features * 2, native.ratioRefineBytes(count, parameters))),
      ),
  };
}

function sq8Codes(dims: number): RandomCodes {
  const random = seededRandom(SEED, `sq8 ${dims}`);
  const rows = Uint8Array.from({ length: TILE_ROWS * dims }, () => random.below(256));
  const blocks = new Uint8Array(native.sq8CodesBytes(TILE_ROWS, dims));
  native.packSq8(rows, ascending(TILE_ROWS), dims, blocks);
  const offset = new Float32Array(dims).fill(-1);
  const step = new Float32Array(dims).fill(2 / 255);
  const tile = (native.sq8CodesBytes(32, dims) - native.sq8CodesBytes(16, dims)) / 16;
  const values = Float32Array.from(rows, (code) => -1 + (2 / 255) * code);
  return {
    name: `sq8 ${dims}-d`,
    bytesPerVector: tile,
    blockItems: 16,
    plain: { rows: TILE_ROWS, dims, perRow: dims, ids: null, values },
    open: (count) =>
      native.openSq8(
        count,
        offset,
        step,
        native.memorySection(tiled(blocks, TILE_ROWS * tile, native.sq8CodesBytes(count, dims))),
      ),
  };
}

/** Scoring blocks in sequence, and their squared distances to a vector. */
function scanLines(kernel: string, codes: RandomCodes): readonly Line[] {
  const model = randomModel(codes.plain.dims);
  const cases = [
    ['in cache', IN_CACHE_BYTES, IN_CACHE_BYTES],
    ['from memory', OUT_OF_CACHE_BYTES, OUT_OF_CACHE_BYTES / 2],
  ] as const;
  return cases.flatMap(([where, bytes, plainBytes]) => {
    const wanted = Math.floor(bytes / codes.bytesPerVector / codes.blockItems) * codes.blockItems;
    const handle = codes.open(Math.ceil(wanted / TILE_ROWS) * TILE_ROWS);
    const out = new Float32Array(wanted);
    const none = new Float32Array(0);
    // The peer's floats take more room than codes; as many as make it as local as the codes are.
    const floats = Math.max(1, Math.floor(plainBytes / (codes.plain.perRow * (codes.plain.ids === null ? 4 : 8))));
    const plain = tiledPlain(codes.plain, floats);
    const plainOut = new Float32Array(floats);
    const contestants: Contestant[] = [
      { name: 'prepare', run: () => native.scoreBlocks(handle, model.weights, model.bias, 0, none) },
      { name: 'native', run: () => native.scoreBlocks(handle, model.weights, model.bias, 0, out) },
      { name: 'javascript', run: () => scoreRows(plain, model, plainOut) },
      { name: 'prepare distance', run: () => native.distanceBlocks(handle, model.weights, 0, none) },
      { name: 'distance', run: () => native.distanceBlocks(handle, model.weights, 0, out) },
    ];
    const inputs = where === 'in cache' ? 50 : 1;
    const [prepare, scan, javascript, prepareDistance, distance] = compare(contestants, {
      inputs,
      repetitions: REPETITIONS,
    }).map(({ cpu }) => cpu * 1e6) as [number, number, number, number, number];
    const line = (name: string, ns: number, javascriptNs: number | null): Line => ({
      kernel: `${name} ${kernel}, ${where}`,
      unit: 'vector',
      ns: ns / wanted,
      bytes: codes.bytesPerVector,
      javascriptNs,
    });
    return [line('score', scan - prepare, javascript / floats), line('distance', distance - prepareDistance, null)];
  });
}

/** Exact scores and distances of given items, spread over codes that no cache holds. */
function givenLines(codes: RandomCodes): readonly Line[] {
  const count = Math.floor(OUT_OF_CACHE_BYTES / codes.bytesPerVector / TILE_ROWS) * TILE_ROWS;
  const cells = oneCluster(codes.open(count), codes.open(TILE_ROWS), count);
  const model = randomModel(codes.plain.dims);
  const random = seededRandom(SEED, 'given items');
  const lists = Array.from({ length: 20 }, () => Uint32Array.from({ length: GIVEN_ITEMS }, () => random.below(count)));
  const out = new Float64Array(GIVEN_ITEMS);
  const none = new Uint32Array(0);
  const noScores = new Float64Array(0);
  const { weights, bias } = model;
  const list = (i: number): Uint32Array => lists[i] as Uint32Array;
  const [prepare, score, prepareDistance, distance] = compare(
    [
      { name: 'prepare', run: () => native.scoreItems(native.linearHead(cells, weights, bias), none, noScores) },
      { name: 'score', run: (i) => native.scoreItems(native.linearHead(cells, weights, bias), list(i), out) },
      { name: 'prepare distance', run: () => native.itemDistances(cells, weights, none, noScores) },
      { name: 'distance', run: (i) => native.itemDistances(cells, weights, list(i), out) },
    ],
    { inputs: lists.length, repetitions: REPETITIONS },
  ).map(({ cpu }) => cpu * 1e6) as [number, number, number, number];
  const line = (kernel: string, ns: number): Line => ({
    kernel: `${kernel} ${codes.name}, from memory`,
    unit: 'item',
    ns: ns / GIVEN_ITEMS,
    bytes: 0,
    javascriptNs: null,
  });
  return [line('exact score', score - prepare), line('exact distance', distance - prepareDistance)];
}

/** The 256 best of many representatives. */
function selectLines(): readonly Line[] {
  return [ratioCodes(1024, 16), sq8Codes(128)].map((codes) => {
    const representatives = 64 * TILE_ROWS;
    const cells = oneClusterEach(codes.open(representatives), representatives);
    const { weights, bias } = randomModel(codes.plain.dims);
    const chosen = new Uint32Array(256);
    const [select] = compare(
      [
        {
          name: 'select',
          run: () => native.selectClusters(native.linearHead(cells, weights, bias), representatives, chosen),
        },
      ],
      { inputs: 2, repetitions: REPETITIONS },
    );
    return {
      kernel: `select 256 of ${representatives} clusters, ${codes.name}`,
      unit: 'cluster',
      ns: ((select?.cpu ?? Number.NaN) * 1e6) / representatives,
      bytes: codes.bytesPerVector,
      javascriptNs: null,
    };
  });
}

/** Training at the sizes of a first and of a late round, as round.ts does it. */
function svmLines(): readonly Line[] {
  const random = seededRandom(SEED, 'svm');
  const normal = normals(random);
  const shapes = [128, 1280, 12_988].flatMap((dims) => [110, 1100].map((rows) => [dims, rows] as const));
  return shapes.map(([dims, rows]) => {
    const sparse = dims === 12_988;
    const perRow = sparse ? 5 : dims;
    const training: TrainingRows = {
      dims,
      perRow,
      ids: sparse
        ? Uint32Array.from({ length: rows * perRow }, (_, i) => (random.below(2000) * 5 + (i % 5)) % dims)
        : null,
      values: Float32Array.from({ length: rows * perRow }, () => normal() / Math.sqrt(perRow)),
      labels: Int8Array.from({ length: rows }, (_, row) => (row % 11 === 0 ? 1 : -1)),
    };
    const [train] = compare(
      [{ name: 'train', run: (seed) => trainLinearSvm(training, { ...ROUND_DEFAULTS.model, seed }) }],
      { inputs: rows > 1000 ? 2 : 10, repetitions: REPETITIONS },
    );
    return {
      kernel: `train SVM on ${rows} x ${sparse ? `5 of ${dims}` : dims}, C=${ROUND_DEFAULTS.model.c}`,
      unit: 'call',
      ns: (train?.cpu ?? Number.NaN) * 1e6,
      bytes: 0,
      javascriptNs: null,
    };
  });
}

/** Candidates by score, then item. */
function orderLine(): Line {
  const random = seededRandom(SEED, 'order');
  const items = Uint32Array.from({ length: GIVEN_ITEMS }, () => random.below(2 ** 27));
  const scores = Float64Array.from({ length: GIVEN_ITEMS }, () => random.below(2 ** 20));
  const order = new Uint32Array(GIVEN_ITEMS);
  const score = (i: number): number => scores[i] as number;
  const item = (i: number): number => items[i] as number;
  const [sorted, javascript] = compare(
    [
      { name: 'native', run: () => native.orderByScore(items, scores, order) },
      {
        name: 'javascript',
        run: () => ascending(GIVEN_ITEMS).sort((a, b) => score(b) - score(a) || item(a) - item(b)),
      },
    ],
    { inputs: 50, repetitions: REPETITIONS },
  ).map(({ cpu }) => cpu * 1e6) as [number, number];
  return { kernel: `order ${GIVEN_ITEMS} candidates`, unit: 'call', ns: sorted, bytes: 0, javascriptNs: javascript };
}

function randomModel(dims: number): LinearModel {
  const normal = normals(seededRandom(SEED, 'weights'));
  return { weights: Float32Array.from({ length: dims }, normal), bias: -0.25 };
}

/** All items in the first cluster; items lie in slot order. */
function oneCluster(codes: CodesHandle, representatives: CodesHandle, items: number): CellsHandle {
  return openCells(codes, representatives, items, new Uint32Array(TILE_ROWS + 1).fill(items, 1));
}

/** One item in every cluster, which its own code represents. */
function oneClusterEach(codes: CodesHandle, items: number): CellsHandle {
  return openCells(codes, codes, items, ascending(items + 1));
}

function openCells(codes: CodesHandle, representatives: CodesHandle, items: number, starts: Uint32Array): CellsHandle {
  const bytes = new Uint8Array(native.packedBytes(items, items));
  native.packNumbers(ascending(items), items, bytes);
  const inOrder = native.memorySection(bytes);
  const startsOf = native.memorySection(new Uint8Array(starts.buffer));
  return native.openCells(codes, representatives, null, inOrder, inOrder, startsOf);
}

/** The first `period` bytes over and over, `length` in all. */
function tiled(bytes: Uint8Array, period: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let at = 0; at < length; at += period) out.set(bytes.subarray(0, Math.min(period, length - at)), at);
  return out;
}

function tiledPlain({ dims, perRow, ids, values }: PlainVectors, rows: number): PlainVectors {
  const length = rows * perRow;
  return {
    rows,
    dims,
    perRow,
    ids: ids === null ? null : Uint32Array.from({ length }, (_, i) => ids[i % ids.length] as number),
    values: Float32Array.from({ length }, (_, i) => values[i % values.length] as number),
  };
}

function ascending(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => i);
}
