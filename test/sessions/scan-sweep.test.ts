// A sweep of several modalities against its definition: exact scores, standardised by the moments of the scan.

import t from 'tap';
import { trainHeads } from '../../src/heads.ts';
import { native } from '../../src/native.ts';
import { type ScanSweepRequest, type ScanSweepResult, scanSweep } from '../../src/scan-sweep.ts';
import { everyItem, requestOf, twoModalities } from '../data.ts';

const collection = await twoModalities(t, 2000);
const positive = Uint32Array.of(1, 20, 300);
const negative = Uint32Array.of(5, 60, 700, 8);
const weights = [1, 0.25];
const names = [...collection.modalities.keys()];
const modalities = names.map((name, m) => ({ name, weight: weights[m] as number }));
const { heads } = trainHeads(collection, requestOf(collection, { positive, negative, modalities, seed: 1 }), positive);
const trained = modalities.map((modality, m) => {
  const head = heads[m];
  if (head === undefined) throw new RangeError(`no head of ${modality.name}`);
  return { ...modality, model: head.model };
});

function swept(change: Partial<ScanSweepRequest> = {}): ScanSweepResult {
  const steps = scanSweep(collection, {
    modalities: trained,
    selection: { by: 'alpha', alpha: 1 },
    order: 'item',
    admission: null,
    maxBytes: 1e9,
    ...change,
  });
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

t.test('fused scores are those of the definition, scanned ones as near as is said', async (t) => {
  const { items, scores, scanned, error, mean, deviation, threshold } = swept();
  const parts = heads.map(({ prepared }) => {
    const part = new Float64Array(collection.items);
    native.scoreItems(prepared, everyItem(collection), part);
    const average = part.reduce((sum, score) => sum + score, 0) / part.length;
    const spread = Math.sqrt(part.reduce((sum, score) => sum + (score - average) ** 2, 0) / part.length);
    return part.map((score) => (score - average) / spread);
  });
  const fused = Float64Array.from(scanned, (_, item) => {
    return parts.reduce((sum, part, m) => sum + ((weights[m] as number) / 1.25) * (part[item] as number), 0);
  });
  // Moments are those of the scan, which differ from these by no more than the scan does.
  t.ok(fused.every((score, item) => Math.abs(score - (scanned[item] as number)) < 5 * error));
  t.ok(error < 0.2, `${error}`);
  t.ok(items.length > 100 && items.length < 500);
  t.equal(threshold, mean + deviation);
  const exact = new Map(Array.from(items, (item, i) => [item, scores[i] as number]));
  t.ok([...exact].every(([item, score]) => Math.abs(score - (scanned[item] as number)) <= error && score > threshold));
  t.ok(scanned.every((score, item) => exact.has(item) || score <= threshold + error));
});

t.test('orders differ in nothing else, and a count is what is above its threshold', async (t) => {
  const byItem = swept();
  const byScore = swept({ order: 'score' });
  const pairs = ({ items, scores }: ScanSweepResult) => Array.from(items, (item, i) => [item, scores[i]] as const);
  const ranked = pairs(byItem).sort(([a, x = 0], [b, y = 0]) => y - x || a - b);
  t.strictSame(pairs(byScore), ranked);
  t.strictSame(byScore.selected, byItem.items);
  t.strictSame(byItem.selected, byItem.items);
  for (const order of ['score', 'item'] as const) {
    const count = byItem.items.length;
    const counted = swept({ selection: { by: 'count', count }, order });
    t.strictSame(pairs(counted), pairs(order === 'score' ? byScore : byItem));
    t.equal(counted.threshold, ranked.at(-1)?.[1]);
    t.strictSame(counted.selected, byItem.items);
  }
});

t.test('a sweep that would take more memory than it may says so', async (t) => {
  const bytes = 8 * collection.items;
  const needed = (each: number, change: Partial<ScanSweepRequest>) => {
    const all = { selection: { by: 'score', score: -1e9 } as const, ...change };
    t.doesNotThrow(() => swept({ ...all, maxBytes: bytes + each * collection.items }));
    const message = new RegExp(
      `takes ${bytes + each * collection.items} bytes of memory, of \\d+ \\(max_sweep_bytes\\)`,
    );
    t.throws(() => swept({ ...all, maxBytes: bytes + each * collection.items - 1 }), { name: 'RangeError', message });
  };
  needed(28, { order: 'item' });
  needed(68, { order: 'score' });
  t.throws(() => swept({ maxBytes: bytes - 1 }), { name: 'RangeError', message: /2000 items takes/ });
});
