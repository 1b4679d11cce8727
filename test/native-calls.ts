// A valid call of each function of the addon, and what the calls are made of: test/native.test.ts changes one argument of
// them at a time.

import t from 'tap';
import { native } from '../src/native.ts';
import { modalityOf, twoModalities } from './data.ts';

export type Call = readonly unknown[];

const collection = await twoModalities(t, 300);
export const dense = modalityOf(collection, 'visual');
export const sparse = modalityOf(collection, 'text');
const dims = dense.manifest.dims;
const sparseDims = sparse.manifest.dims;
const features = sparse.manifest.ratio?.items.features ?? 0;
const head = native.linearHead(dense.cells, new Float32Array(dims), 0);
const near = native.nearSearch([dense.cells], Float64Array.of(1), [dense.levels], Uint32Array.of(1), 2, 1e12);
const choice = native.diverseChoice([dense.cells], Float64Array.of(1), Uint32Array.of(1), 0.9, Uint32Array.of(5), 0.95);
export const section = native.memorySection(new Uint8Array(4096));
export const parameters = { dims: 10, features: 2, valueBits: 10, scale: 0.5, maxSum: 3 };
export const quantiser = {
  features: 2,
  dims: 4,
  valueDivisor: 0,
  ratioDivisor: 0,
  floor: false,
  normalize: false,
  scale: 0.01,
  maxCode: 255,
};
export const svm = { squaredHinge: true, epsilon: 1e-3, maxIterations: 10, seed: 0 };
export const layout = {
  features: 3,
  idBits: 10,
  valueBits: 54,
  ratioBits: 10,
  idPadBits: 4,
  ratioPadBits: 4,
  valueDivisor: 1,
  ratioDivisor: 1,
};
export const rows = { codes: new Uint8Array(4 * 2), offset: new Float32Array(2), step: Float32Array.of(1, 1) };
export const pairs = { ids: new Uint16Array(4), values: new Float32Array(4), perRow: 2 };
export const sparseAssigner = native.sparseAssigner(pairs, 4, null, 1);
export const denseAssigner = native.denseAssigner(new Float32Array(4), 2, null, 1);
export const numbers = (...values: number[]): Uint32Array => Uint32Array.from(values);

/** A valid call of each function; the arrays named are those whose length other arguments decide. */
export const calls: readonly (readonly [name: string, args: () => Call, fixedLength: readonly number[]])[] = [
  ['crc32c', () => [0, new Uint8Array(3)], []],
  ['memorySection', () => [new Uint8Array(3)], []],
  ['sectionBytes', () => [section], []],
  ['readSection', () => [section, 4090, new Uint8Array(6)], [2]],
  ['ratioCodesBytes', () => [3, parameters], []],
  ['ratioRefineBytes', () => [3, parameters], []],
  ['sq8CodesBytes', () => [3, 4], []],
  [
    'packRatio',
    () => {
      const blocks = new Uint8Array(native.ratioCodesBytes(3, parameters));
      const refine = new Uint8Array(native.ratioRefineBytes(3, parameters));
      return [new Uint16Array(6), new Uint32Array(6), numbers(2, 1, 0), parameters, blocks, refine];
    },
    [0, 1, 4, 5],
  ],
  ['packSq8', () => [new Uint8Array(12), numbers(0, 2), 4, new Uint8Array(native.sq8CodesBytes(2, 4))], [0, 3]],
  ['openRatio', () => [3, parameters, section, section], []],
  ['openSq8', () => [3, new Float32Array(4), new Float32Array(4), section], [2]],
  ['packedBytes', () => [3, 1000], []],
  ['packNumbers', () => [numbers(1, 2, 3), 1000, new Uint8Array(native.packedBytes(3, 1000))], [2]],
  ['unpackNumbers', () => [new Uint8Array(native.packedBytes(3, 1000)), 1000, new Uint32Array(3)], [0]],
  ['numbersAt', () => [section, 300, 1000, numbers(3, 299), new Uint32Array(2)], [4]],
  ['openLevels', () => [numbers(10, 1), section, section], []],
  ['addScores', () => [head, 1, 1e12, new Float64Array(300)], [3]],
  ['appendSegments', () => [new Float64Array(5), 4, 1, new Uint32Array(5)], [3]],
  ['nearSearch', () => [[dense.cells], Float64Array.of(1), [dense.levels], numbers(1), 2, 1e12], [1]],
  ['nearItems', () => [near, numbers(1), 1e12, new Uint32Array(4)], []],
  ['nearestOfItems', () => [[dense.cells], Float64Array.of(1), numbers(1), numbers(2, 3), new Float64Array(2)], [1, 4]],
  [
    'valuedClusters',
    () => [
      head,
      new Float32Array(dims),
      { scoreFactor: 1, distanceFactor: 0, weight: 1, rest: 0 },
      100,
      new Uint32Array(4),
    ],
    [1],
  ],
  ['clusterItems', () => [dense.cells, numbers(1), new Uint32Array(4)], []],
  ['openCells', () => [dense.codes, dense.representatives, null, section, section, section], []],
  ['scoreBlocks', () => [dense.codes, new Float32Array(dims), 0, 0, new Float32Array(32)], [1, 4]],
  ['scoreError', () => [sparse.codes, new Float32Array(sparseDims), 0], [1]],
  ['distanceBlocks', () => [dense.codes, new Float32Array(dims), 0, new Float32Array(32)], [1, 3]],
  ['distanceError', () => [sparse.codes, new Float32Array(sparseDims)], [1]],
  ['decodeSlots', () => [sparse.codes, numbers(1), new Uint32Array(features), new Float32Array(features)], [2, 3]],
  ['decodeItems', () => [dense.cells, numbers(1, 299), new Uint32Array(0), new Float32Array(2 * dims)], [2, 3]],
  ['rowCache', () => [1000], []],
  [
    'decodeKeptItems',
    () => [native.rowCache(1000), 0, dense.cells, numbers(1, 299), new Uint32Array(0), new Float32Array(2 * dims)],
    [4, 5],
  ],
  ['linearHead', () => [dense.cells, new Float32Array(dims), 0], [1]],
  ['mlpHead', () => [dense.cells, numbers(2), new Float32Array(2 * (dims + 1) + 3)], [1, 2]],
  ['releaseHead', () => [native.linearHead(dense.cells, new Float32Array(dims), 0)], []],
  ['selectClusters', () => [head, 100, new Uint32Array(4)], []],
  [
    'scanClusters',
    () => {
      const out = [new Uint32Array(6), new Float64Array(6), new Uint32Array(2)];
      return [head, numbers(0, 1), 3, numbers(4), 1, Infinity, ...out];
    },
    [6, 7, 8],
  ],
  ['scanAll', () => [head, numbers(4), 1, Infinity, new Uint32Array(6), new Float64Array(6)], [5]],
  ['scoreItems', () => [head, numbers(1, 2), new Float64Array(2)], [2]],
  ['scoreAll', () => [head, 1, Infinity, new Float64Array(collection.items)], [3]],
  ['itemDistances', () => [dense.cells, new Float32Array(dims), numbers(1, 2), new Float64Array(2)], [1, 3]],
  ['sweepSlots', () => [head, 1, 20, new Float32Array(collection.items), new Float64Array(6)], [3, 4]],
  ['sumScores', () => [new Float32Array(3), new Float64Array(6)], [1]],
  [
    'addToItems',
    () => [head, new Float32Array(collection.items), 0, 30, 1, 0, new Float32Array(collection.items)],
    [1, 6],
  ],
  ['sortBySlot', () => [head, numbers(1, 2), numbers(0, 0), numbers(0, 0)], [1, 2, 3]],
  ['addExactScores', () => [head, numbers(1, 2), numbers(0, 1), 1, 0, new Float64Array(2)], [1, 2]],
  ['numbersAtLeast', () => [new Float32Array(3), 0, new Uint32Array(2)], []],
  ['greatestValues', () => [new Float32Array(3), numbers(1, 2), new Float32Array(2)], [1, 2]],
  [
    'countStrata',
    () => [new Float32Array(5), numbers(1), numbers(2), new Float32Array(1), new Float32Array(1), new Float64Array(4)],
    [3, 4, 5],
  ],
  [
    'pickFromStrata',
    () => {
      const cuts = [new Float32Array(1), new Float32Array(1)];
      return [new Float32Array(5), numbers(1), numbers(2), ...cuts, numbers(0), numbers(0, 1, 1, 1, 1), numbers(0)];
    },
    [3, 4, 5, 6, 7],
  ],
  ['orderByScore', () => [numbers(1, 2), new Float64Array(2), new Uint32Array(2)], [1, 2]],
  [
    'trainSvmDense',
    () => [
      new Float32Array(6),
      3,
      Int8Array.of(1, -1),
      Float64Array.of(1, 1),
      svm,
      new Float64Array(2),
      new Float32Array(3),
    ],
    [0, 2, 3, 5, 6],
  ],
  [
    'trainSvmSparse',
    () => {
      const examples = [new Uint32Array(4), new Float32Array(4), 2, Int8Array.of(1, -1), Float64Array.of(1, 1)];
      return [...examples, svm, new Float64Array(2), new Float32Array(3)];
    },
    [0, 1, 3, 4, 6],
  ],
  [
    'trainMlpDense',
    () => [new Float32Array(6), 3, Int8Array.of(1, -1), { hidden: numbers(2), cost: 1, seed: 0 }, new Float32Array(11)],
    [0, 2, 4],
  ],
  [
    'trainMlpSparse',
    () => {
      const examples = [new Uint32Array(4), new Float32Array(4), 2, 3, Int8Array.of(1, -1)];
      return [...examples, { hidden: numbers(), cost: 1, seed: 0 }, new Float32Array(4)];
    },
    [0, 1, 4, 6],
  ],
  ['rocchioDense', () => [new Float32Array(6), 3, Int8Array.of(1, -1), 1, 1, new Float32Array(3)], [0, 2, 5]],
  [
    'rocchioSparse',
    () => [new Uint32Array(4), new Float32Array(4), 2, Int8Array.of(1, -1), 1, 1, new Float32Array(3)],
    [0, 1, 3],
  ],
  [
    'encodeRatio',
    () => [numbers(0, 1), new Float64Array(2), 2, quantiser, 1, new Uint8Array(8), new Float64Array(3)],
    [0, 1, 5, 6],
  ],
  ['encodeRatioDense', () => [new Float32Array(4), quantiser, 1, new Uint8Array(8), new Float64Array(3)], [0, 3, 4]],
  ['measureSq8', () => [new Float32Array(6), 3, false, 1, new Float32Array(3), new Float32Array(3)], [0, 4, 5]],
  ['encodeSq8', () => [new Float32Array(6), new Float32Array(3), new Float32Array(3), 1, new Uint8Array(6)], [0, 2, 4]],
  ['halfToFloat', () => [new Uint16Array(3), new Float32Array(3)], [1]],
  [
    'decodeR64',
    () => {
      const words = [new BigUint64Array(2), new BigUint64Array(2), new BigUint64Array(2)];
      return [...words, layout, 9, new Uint32Array(6), new Float64Array(6)];
    },
    [1, 2, 5, 6],
  ],
  ['sparseAssigner', () => [pairs, 4, { nodes: 2, beam: 1, seed: 1 }, 1], []],
  ['denseAssigner', () => [new Float32Array(4), 2, { nodes: 2, beam: 1, seed: 1 }, 1], []],
  ['releaseSparseAssigner', () => [native.sparseAssigner(pairs, 4, null, 1)], []],
  ['releaseDenseAssigner', () => [native.denseAssigner(new Float32Array(4), 2, null, 1)], []],
  ['groupSparse', () => [pairs, 4, { nodes: 2, beam: 1, seed: 1 }, 1, new Uint32Array(2), () => {}], [4]],
  ['groupDense', () => [new Float32Array(4), 2, { nodes: 2, beam: 1, seed: 1 }, 1, new Uint32Array(2), () => {}], [4]],
  ['assignSparse', () => [sparseAssigner, pairs, 1, new Uint32Array(2), new Float32Array(2)], [3, 4]],
  ['assignDense', () => [denseAssigner, rows, 1, new Uint32Array(4), new Float32Array(4)], [3, 4]],
  ['meansSparse', () => [pairs, 4, numbers(0, 1), numbers(0, 1, 2), 1, { ...pairs }], [2, 3]],
  ['ratioVectors', () => [new Uint8Array(12), 1, 4, 1, 1, new Uint16Array(2), new Float32Array(2)], [0, 5, 6]],
  ['placeRecords', () => [new Uint8Array(6), 3, numbers(1, 0), 0, 1, new Uint8Array(6)], [0, 2]],
  [
    'packRatioRecords',
    () => {
      const blocks = new Uint8Array(native.ratioCodesBytes(3, parameters));
      const refine = new Uint8Array(native.ratioRefineBytes(3, parameters));
      return [new Uint8Array(3 * 8), 2, parameters, 1, blocks, refine];
    },
    [0, 4, 5],
  ],
  ['packSq8Records', () => [new Uint8Array(12), 4, 1, new Uint8Array(native.sq8CodesBytes(3, 4))], [0, 3]],
  ['openRatioMembers', () => [parameters, 2], []],
  ['openSq8Members', () => [new Float32Array(2), new Float32Array(2)], [1]],
  [
    'addRatioMembers',
    () => {
      const members = native.openRatioMembers(parameters, 2);
      return [members, new Uint8Array(16), numbers(0, 1, 2), 1, { ...pairs }, { ...pairs }];
    },
    [],
  ],
  [
    'addSq8Members',
    () => {
      const members = native.openSq8Members(new Float32Array(2), new Float32Array(2));
      return [members, new Uint8Array(4), numbers(0, 1, 2), 1, new Float32Array(4), new Float32Array(4)];
    },
    [1, 4, 5],
  ],
  ['diverseChoice', () => [[dense.cells, sparse.cells], Float64Array.of(1, 1), numbers(1), 0.9, numbers(5), 0.95], [1]],
  ['diverseItems', () => [choice, numbers(2, 3, 4), Number.POSITIVE_INFINITY, numbers(0, 0)], []],
  ['meansDense', () => [rows, numbers(0, 1, 2, 3), numbers(0, 4), 1, new Float32Array(2)], [1, 4]],
  ['keyTableSize', () => [3], []],
  ['buildKeyTable', () => [BigUint64Array.of(0n, 1n), new Uint8Array(1), new Uint32Array(native.keyTableSize(1))], [2]],
];
