// The door to C++: wrong arguments are refused by type and by length, in every position, and never crash.

import t from 'tap';
import { native } from '../src/native.ts';
import { seededRandom } from '../src/random.ts';
import { modalityOf, twoModalities } from './data.ts';

type Call = readonly unknown[];

const collection = await twoModalities(t, 300);
const dense = modalityOf(collection, 'visual');
const sparse = modalityOf(collection, 'text');
const dims = dense.manifest.dims;
const sparseDims = sparse.manifest.dims;
const features = sparse.manifest.ratio?.items.features ?? 0;
const head = native.linearHead(dense.cells, new Float32Array(dims), 0);
const near = native.nearSearch([dense.cells], Float64Array.of(1), [dense.levels], Uint32Array.of(1), 2, 1e12);
const section = native.memorySection(new Uint8Array(4096));
const parameters = { dims: 10, features: 2, valueBits: 10, scale: 0.5, maxSum: 3 };
const quantiser = {
  features: 2,
  dims: 4,
  valueDivisor: 0,
  ratioDivisor: 0,
  floor: false,
  normalize: false,
  scale: 0.01,
  maxCode: 255,
};
const svm = { squaredHinge: true, epsilon: 1e-3, maxIterations: 10, seed: 0 };
const layout = {
  features: 3,
  idBits: 10,
  valueBits: 54,
  ratioBits: 10,
  idPadBits: 4,
  ratioPadBits: 4,
  valueDivisor: 1,
  ratioDivisor: 1,
};
const rows = { codes: new Uint8Array(4 * 2), offset: new Float32Array(2), step: Float32Array.of(1, 1) };
const pairs = { ids: new Uint16Array(4), values: new Float32Array(4), perRow: 2 };
const sparseAssigner = native.sparseAssigner(pairs, 4, null, 1);
const denseAssigner = native.denseAssigner(new Float32Array(4), 2, null, 1);
const numbers = (...values: number[]): Uint32Array => Uint32Array.from(values);

/** A valid call of each function; the arrays named are those whose length other arguments decide. */
const calls: readonly (readonly [name: string, args: () => Call, fixedLength: readonly number[]])[] = [
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
  ['groupSparse', () => [pairs, 4, { nodes: 2, beam: 1, seed: 1 }, 1, new Uint32Array(2)], [4]],
  ['groupDense', () => [new Float32Array(4), 2, { nodes: 2, beam: 1, seed: 1 }, 1, new Uint32Array(2)], [4]],
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
  ['meansDense', () => [rows, numbers(0, 1, 2, 3), numbers(0, 4), 1, new Float32Array(2)], [1, 4]],
  ['keyTableSize', () => [3], []],
  ['buildKeyTable', () => [BigUint64Array.of(0n, 1n), new Uint8Array(1), new Uint32Array(native.keyTableSize(1))], [2]],
];
import {
  type Call,
  calls,
  dense,
  denseAssigner,
  layout,
  numbers,
  pairs,
  parameters,
  quantiser,
  rows,
  section,
  sparse,
  sparseAssigner,
  svm,
} from './native-calls.ts';

t.test('valid calls pass', async (t) => {
  for (const [name, args] of calls) t.doesNotThrow(() => call(name, args()), name);
});

t.test('an argument of another type is a TypeError, in every position', async (t) => {
  for (const [name, args] of calls) {
    args().forEach((value, at) => {
      // Booleans are read as JavaScript reads them, and null stands for what may be left out.
      if (typeof value === 'boolean' || value === null) return;
      const others: unknown[] = [undefined, 'text', Symbol('s'), true, 1n];
      if (ArrayBuffer.isView(value)) others.push([1, 2], value.buffer, otherArray(value), 5, null);
      else if (typeof value !== 'number') others.push(5);
      else others.push({}, [], new Uint8Array(1), null, '1');
      for (const other of others) {
        // Without codes an encoder measures only, and members may be taken without their variances.
        if (other === null && value instanceof Uint8Array && name.startsWith('encodeRatio')) continue;
        if (other === null && name === 'addSq8Members' && at === 5) continue;
        const changed = args().with(at, other);
        t.throws(() => call(name, changed), { name: 'TypeError' }, `${name}, argument ${at}: ${typeof other}`);
      }
    });
  }
});

t.test('an array of another length is a RangeError', async (t) => {
  for (const [name, args, fixedLength] of calls) {
    for (const at of fixedLength) {
      const longer = args()[at] as { length: number; constructor: new (length: number) => unknown };
      const changed = args().with(at, new longer.constructor(longer.length + 1));
      t.throws(() => call(name, changed), { name: 'RangeError' }, `${name}, argument ${at}`);
    }
  }
});

t.test('a handle of another kind is a TypeError', async (t) => {
  const handles: readonly unknown[] = [section, dense.codes, dense.cells, sparseAssigner, denseAssigner];
  for (const [name, args] of calls) {
    args().forEach((value, at) => {
      const own = handles.findIndex((_, kind) => kind === kindOf(value));
      if (own < 0) return;
      handles.forEach((other, kind) => {
        if (kind === own) return;
        const changed = args().with(at, other);
        t.throws(() => call(name, changed), { name: 'TypeError', message: /handle of another kind/ }, `${name} ${at}`);
      });
    });
  }
});

t.test('numbers out of range are RangeErrors', async (t) => {
  const wrong: readonly (readonly [name: string, at: number, value: unknown])[] = [
    ['crc32c', 0, -1],
    ['crc32c', 0, 2 ** 32],
    ['readSection', 1, 4091],
    ['readSection', 1, 2 ** 53],
    ['readSection', 1, 0.5],
    ['ratioCodesBytes', 0, 2 ** 32],
    ['ratioCodesBytes', 1, { ...parameters, dims: 65537 }],
    ['ratioCodesBytes', 1, { ...parameters, features: 0 }],
    ['ratioCodesBytes', 1, { ...parameters, valueBits: 25 }],
    ['ratioCodesBytes', 1, { ...parameters, scale: 0 }],
    ['ratioCodesBytes', 1, { ...parameters, maxSum: Number.NaN }],
    ['sq8CodesBytes', 1, 4097],
    ['packRatio', 2, numbers(0, 3)],
    ['packSq8', 1, numbers(0, 3)],
    ['openRatio', 0, 1e6],
    ['openSq8', 0, 1e6],
    ['packedBytes', 1, 0],
    ['numbersAt', 1, 1e6],
    ['numbersAt', 2, 0],
    ['numbersAt', 3, numbers(1, 300)],
    ['appendSegments', 1, 1],
    ['appendSegments', 1, 33],
    ['nearSearch', 2, []],
    ['nearSearch', 3, numbers(300)],
    ['nearSearch', 4, 0],
    ['nearestOfItems', 2, numbers(300)],
    ['nearestOfItems', 3, numbers(0, 300)],
    ['diverseItems', 3, numbers(300)],
    ['diverseItems', 5, numbers(300)],
    ['valuedClusters', 3, 0],
    ['clusterItems', 1, numbers(1e6)],
    ['openCells', 1, sparse.representatives],
    ['openCells', 2, dense.codes],
    ['openCells', 6, { means: sparse.codes, starts: section }],
    ['scoreBlocks', 3, 1000],
    ['distanceBlocks', 2, 1000],
    ['distanceBlocks', 2, 18],
    ['decodeSlots', 1, numbers(300)],
    ['decodeItems', 1, numbers(1, 300)],
    ['rowCache', 0, -1],
    ['decodeKeptItems', 1, 2 ** 32],
    ['decodeKeptItems', 3, numbers(1, 300)],
    ['scanClusters', 1, numbers(0, 1e6)],
    ['scanClusters', 2, 0],
    ['scanClusters', 3, numbers(4, 4)],
    ['scanClusters', 4, 0],
    ['scanClusters', 4, 257],
    ['scanClusters', 4, Number.NaN],
    ['scanAll', 1, numbers(5, 4)],
    ['scoreItems', 1, numbers(1, 300)],
    ['itemDistances', 2, numbers(1, 2 ** 32 - 1)],
    ['trainSvmDense', 1, 0],
    ['trainSvmDense', 2, Int8Array.of(1, 0)],
    ['trainSvmDense', 3, Float64Array.of(1, 0)],
    ['trainSvmDense', 3, Float64Array.of(1, Number.NaN)],
    ['trainSvmDense', 4, { ...svm, maxIterations: 0 }],
    ['trainSvmDense', 4, { ...svm, seed: -1 }],
    ['trainSvmSparse', 0, numbers(0, 1, 2, 3)],
    ['mlpHead', 1, numbers(257)],
    ['trainMlpDense', 3, { hidden: numbers(2, 2, 2), cost: 1, seed: 0 }],
    ['trainMlpDense', 3, { hidden: numbers(2), cost: 0, seed: 0 }],
    ['trainMlpSparse', 0, numbers(0, 1, 2, 3)],
    ['rocchioDense', 2, Int8Array.of(1, 2)],
    ['encodeRatio', 3, { ...quantiser, features: 256 }],
    ['encodeRatio', 3, { ...quantiser, maxCode: 2 ** 24 }],
    ['measureSq8', 1, 4097],
    ['decodeR64', 3, { ...layout, idBits: 17 }],
    ['decodeR64', 3, { ...layout, valueBits: 55 }],
    ['decodeR64', 3, { ...layout, idPadBits: 63 }],
    ['sparseAssigner', 0, { ...pairs, ids: Uint16Array.of(0, 4, 0, 0) }],
    ['sparseAssigner', 0, { ...pairs, ids: new Uint16Array(0), values: new Float32Array(0) }],
    ['sparseAssigner', 2, { nodes: 0, beam: 1, seed: 1 }],
    ['sparseAssigner', 2, { nodes: 65537, beam: 1, seed: 1 }],
    ['denseAssigner', 0, new Float32Array(0)],
    ['denseAssigner', 0, new Float32Array(3)],
    ['denseAssigner', 2, { nodes: 1, beam: 0, seed: 1 }],
    ['denseAssigner', 2, { nodes: 1, beam: 1, seed: 0.5 }],
    ['groupSparse', 2, { nodes: 0, beam: 1, seed: 1 }],
    ['groupDense', 0, new Float32Array(0)],
    ['assignSparse', 1, { ...pairs, ids: Uint16Array.of(0, 4, 0, 0) }],
    ['assignSparse', 1, { ...pairs, values: Float32Array.of(0, -1, 0, 0) }],
    ['assignSparse', 2, 0],
    ['assignDense', 1, { ...rows, codes: new Uint8Array(3) }],
    ['assignDense', 1, { codes: new Uint8Array(4), offset: new Float32Array(1), step: new Float32Array(1) }],
    ['placeRecords', 1, 4],
    ['packRatioRecords', 1, 3],
    ['openRatioMembers', 1, 5],
    ['openSq8Members', 0, new Float32Array(0)],
    ['addRatioMembers', 1, new Uint8Array(24)],
    ['addRatioMembers', 1, new Uint8Array(16).fill(255)],
    ['addRatioMembers', 2, numbers(0, 0, 2)],
    ['addRatioMembers', 2, numbers(1, 2)],
    ['addSq8Members', 1, new Uint8Array(0)],
    ['addSq8Members', 2, numbers(0, 2, 1)],
    ['meansDense', 1, numbers(0, 1, 2, 4)],
    ['meansDense', 2, numbers(0, 3)],
    ['meansSparse', 3, numbers(0, 2, 1, 2)],
    ['buildKeyTable', 0, BigUint64Array.of(0n, 2n)],
    ['buildKeyTable', 0, BigUint64Array.of(1n, 0n)],
  ];
  const valid = new Map(calls.map(([name, args]) => [name, args]));
  for (const [name, at, value] of wrong) {
    const args = valid.get(name)?.() ?? [];
    t.throws(() => call(name, args.with(at, value)), { name: 'RangeError' }, `${name}, argument ${at}`);
  }
});

t.test('arguments of one function given to another are refused or harmless', async (t) => {
  // Whatever passes the checks must be safe to run; whatever does not is an error with a name.
  const pool = calls.flatMap(([, args]) => args());
  pool.push(Number.NaN, -1, 2 ** 53, null, undefined, new Float32Array(0), new Uint32Array(0));
  const random = seededRandom(1, 'arguments');
  let refused = 0;
  for (let i = 0; i < 20_000; i++) {
    const [name, args] = calls[random.below(calls.length)] as (typeof calls)[number];
    const changed = args().map((value) => (random.below(4) === 0 ? pool[random.below(pool.length)] : value));
    try {
      call(name, changed);
    } catch (error) {
      refused++;
      if (!(error instanceof TypeError || error instanceof RangeError)) t.fail(`${name}: ${String(error)}`);
    }
  }
  t.ok(refused > 0 && refused < 20_000, `${refused} of 20,000 refused`);
});

t.test('files that cannot be mapped, and paths that are none', async (t) => {
  t.throws(() => native.mapSection(['/nonexistent/file'], [1]), /nonexistent/);
  t.throws(() => native.mapSection([], []), RangeError);
  t.throws(() => native.mapSection(['a'], [1, 2]), RangeError);
  t.throws(() => call('mapSection', ['a', 'b']), TypeError);
  t.throws(() => call('exchangePaths', [1, 2]), TypeError);
  t.ok(native.isa().length > 0);
});

function call(name: string, args: Call): unknown {
  return (native as unknown as Record<string, (...args: unknown[]) => unknown>)[name]?.(...args);
}

/** 0 for a section, 1 for codes, 2 for cells, 3 and 4 for assigners, as the handles of the test above; -1 for none. */
function kindOf(value: unknown): number {
  if (value === section) return 0;
  const codes: readonly unknown[] = [dense.codes, dense.representatives, sparse.codes];
  if (codes.includes(value)) return 1;
  const others: readonly unknown[] = [dense.cells, sparseAssigner, denseAssigner];
  return others.includes(value) ? 2 + others.indexOf(value) : -1;
}

/** An array of as many elements of another type. */
function otherArray(value: ArrayBufferView): ArrayBufferView {
  const { length } = value as Uint8Array;
  return value instanceof Int8Array ? new Uint8Array(length) : new Int8Array(length);
}
