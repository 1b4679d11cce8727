// The door to C++: wrong arguments are refused by type and by length, in every position, and never crash.

import t from 'tap';
import { native } from '../src/native.ts';
import { seededRandom } from '../src/random.ts';
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

t.test('a released assigner is refused, and may be released again', async (t) => {
  const assigner = native.denseAssigner(new Float32Array(4), 2, null, 1);
  const assign = (): void => native.assignDense(assigner, rows, 1, new Uint32Array(4), new Float32Array(4));
  t.doesNotThrow(assign);
  native.releaseDenseAssigner(assigner);
  t.throws(assign, { name: 'RangeError', message: /was released/ });
  t.doesNotThrow(() => native.releaseDenseAssigner(assigner));
});

t.test('a released head is refused, and may be released again', async (t) => {
  const head = native.linearHead(dense.cells, new Float32Array(dense.manifest.dims), 0);
  const clusters = new Uint32Array(4);
  t.equal(native.selectClusters(head, 100, clusters).written, 4);
  native.releaseHead(head);
  t.throws(() => native.selectClusters(head, 100, clusters), { name: 'RangeError', message: /was released/ });
  t.doesNotThrow(() => native.releaseHead(head));
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
    ['diverseChoice', 2, numbers(300)],
    ['diverseChoice', 4, numbers(300)],
    ['diverseItems', 1, numbers(300)],
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
