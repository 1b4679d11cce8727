// Rocchio's weights: the mean of the positives minus the mean of the negatives, dense and sparse.

import t from 'tap';
import { trainRocchio } from '../../src/models/rocchio.ts';

const options = { positiveWeight: 2, negativeWeight: 0.5 };
// Sums, halves and doubles of small whole numbers are exact in float.
const values = Float32Array.of(1, 0, 4, 3, 2, 0, 0, 8, 0, 4, 0, 2);
const labels = Int8Array.of(1, 1, -1, -1);

t.test('means of dense rows, weighted', async (t) => {
  const { weights, bias } = trainRocchio({ dims: 3, perRow: 3, ids: null, values, labels }, options);
  // Positives (1, 0, 4) and (3, 2, 0): mean (2, 1, 2). Negatives (0, 8, 0) and (4, 0, 2): mean (2, 4, 1).
  t.strictSame([...weights], [2 * 2 - 1, 2 * 1 - 2, 2 * 2 - 0.5]);
  t.equal(bias, 0);
});

t.test('sparse rows of the same values give the same weights', async (t) => {
  const ids = Uint32Array.from(values, (_, at) => 2 - (at % 3));
  const reversed = Float32Array.from(values, (_, at) => values[at - (at % 3) + 2 - (at % 3)] as number);
  const dense = trainRocchio({ dims: 3, perRow: 3, ids: null, values, labels }, options);
  const sparse = trainRocchio({ dims: 3, perRow: 3, ids, values: reversed, labels }, options);
  t.strictSame(sparse, dense);
});

t.test('a class without rows counts as zero', async (t) => {
  const positives = trainRocchio({ dims: 3, perRow: 3, ids: null, values, labels: labels.map(() => 1) }, options);
  t.strictSame([...positives.weights], [4, 5, 3]);
  const negatives = trainRocchio({ dims: 3, perRow: 3, ids: null, values, labels: labels.map(() => -1) }, options);
  t.strictSame([...negatives.weights], [-1, -1.25, -0.75]);
  const none = trainRocchio(
    { dims: 2, perRow: 2, ids: null, values: new Float32Array(0), labels: new Int8Array(0) },
    options,
  );
  t.strictSame([...none.weights], [0, 0]);
});
