// Rows kept from one round to the next: they save work and change nothing.

import t from 'tap';
import { DecodedRows } from '../../src/decoded-rows.ts';
import { seededRandom } from '../../src/random.ts';
import { round } from '../../src/round.ts';
import type { ModelOptions } from '../../src/round-request.ts';
import { clustered, collectionOf, decode, denseFile, modalityOf, requestOf, twoModalities } from '../data.ts';
import { temporaryFolder } from '../support.ts';

const ITEMS = 900;
const collection = await twoModalities(t, ITEMS);

t.test('a session answers the same bytes with rows kept and without, whatever came before', async (t) => {
  const models: readonly ModelOptions[] = [
    { kind: 'linear_svm', c: 10, loss: 'squared_hinge', positiveWeight: 1 },
    { kind: 'linear_svm', c: 10, loss: 'hinge', positiveWeight: 1 },
    { kind: 'mlp', hidden: [4], c: 10 },
    { kind: 'rocchio', positiveWeight: 1, negativeWeight: 0.5 },
  ];
  for (const limitBytes of [0, 3000, 1 << 20]) {
    const decoded = new DecodedRows(limitBytes);
    const { below } = seededRandom(3, 'labels');
    for (const model of models) {
      const positive: number[] = [];
      const negative: number[] = [];
      for (let n = 0; n < 6; n++) {
        for (const list of [positive, negative]) {
          while (list.length < 8 * (n + 1)) {
            const item = below(ITEMS);
            if (!positive.includes(item) && !negative.includes(item)) list.push(item);
          }
        }
        const request = requestOf(collection, {
          positive: Uint32Array.from(positive),
          negative: n === 0 ? new Uint32Array(0) : Uint32Array.from(negative),
          model,
          returnModel: true,
        });
        t.strictSame(round(collection, request, undefined, undefined, decoded), round(collection, request));
      }
    }
  }
});

t.test('rows of one modality are not those of another, nor of another collection', async (t) => {
  const path = denseFile(temporaryFolder(t), 'other', clustered(ITEMS, 24, 12, 99), 24);
  const other = await collectionOf(t, { visual: { path, options: {} } });
  const decoded = new DecodedRows(1 << 20);
  const items = Uint32Array.of(5, 6, 5, 899);
  for (let again = 0; again < 2; again++) {
    for (const [from, name] of [
      [collection, 'visual'],
      [collection, 'text'],
      [other, 'visual'],
    ] as const) {
      const modality = modalityOf(from, name);
      t.strictSame(decoded.of(modality, items), decode(modality, items));
    }
  }
});
