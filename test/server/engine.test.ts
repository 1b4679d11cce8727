// The pool on its own: what it says of threads that cannot serve, and of rounds that wait while everything ends.

import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { clockMs, Engine } from '../../src/engine.ts';
import { openIndex } from '../../src/index/open.ts';
import { ROUND_DEFAULTS, type RoundRequest } from '../../src/round-request.ts';
import { buildSmallIndex, temporaryFolder } from '../support.ts';
import { faults } from './faults.ts';

const items = 20_000;
const small = await buildSmallIndex(t, { items });
const { generation } = openIndex(small);

async function started(t: Test, generations: Readonly<Record<string, string>> = { small: generation }) {
  const engine = await Engine.start({
    directories: { small },
    generations,
    threads: 1,
    queueLength: 10,
    heapMb: 100,
    decodedRowsBytes: 2 ** 20,
    onThreadError: (error) => t.fail(error.message),
    worker: new URL('./slow-worker.js', import.meta.url),
  });
  t.teardown(() => engine.close());
  return engine;
}

/** A round that holds its thread for so many milliseconds. */
function round(milliseconds: number, changes: Partial<RoundRequest> = {}): RoundRequest {
  return {
    ...ROUND_DEFAULTS,
    positive: Uint32Array.of(1),
    negative: Uint32Array.of(2),
    exclude: new Uint32Array(0),
    modalities: [{ name: 'visual', weight: 1 }],
    seed: faults.waits + milliseconds,
    ...changes,
  };
}

const here = () => false;
const gone = () => true;

t.test('it does not start over an index that is not there', async (t) => {
  const directories = { small: temporaryFolder(t) };
  const sizes = { threads: 1, queueLength: 1, heapMb: 100, decodedRowsBytes: 2 ** 20 };
  const starting = Engine.start({ directories, generations: {}, ...sizes, onThreadError: () => {} });
  await t.rejects(starting, { message: /manifest\.json/ });
});

t.test('a thread answers neither for a collection it does not have nor from an index that was replaced', async (t) => {
  const engine = await started(t, { small: 'another' });
  await t.rejects(engine.suggest('large', round(0), here), { message: /this thread has no collection 'large'/ });
  await t.rejects(engine.suggest('small', round(0), here), { message: /index of 'small' was replaced .*restart it/ });
});

t.test('many labels are moved to the thread, and weigh as much as few', async (t) => {
  const engine = await started(t);
  const exclude = Uint32Array.from({ length: items - 10 }, (_, item) => item);
  const { result } = await engine.suggest('small', round(0, { exclude, k: 20, clusters: 2 ** 31 }), here);
  t.strictSame(
    [...result.items].sort(),
    Array.from({ length: 10 }, (_, i) => items - 10 + i),
  );
  t.equal(exclude.length, 0, 'moved, not copied');
});

t.test('a round whose client has gone is dropped when its turn comes and when its budget is over', async (t) => {
  const engine = await started(t);
  const first = engine.suggest('small', round(300), here);
  const closed = { code: 'client-closed-request' };
  const rejected = t.rejects(engine.suggest('small', round(0), gone), closed);
  await t.rejects(engine.suggest('small', round(0, { deadlineMs: clockMs() + 20 }), gone), closed);
  const late = engine.train('small', round(0, { deadlineMs: clockMs() + 20 }), here);
  await t.rejects(late, { code: 'overloaded', message: 'its budget was over before a thread was free' });
  await Promise.all([first, rejected]);
  t.strictSame([engine.running, engine.waiting], [0, 0]);
});

t.test('a close waits for what runs and what waits', async (t) => {
  const engine = await started(t);
  const rounds = [round(200), round(50)].map((request) => engine.suggest('small', request, here));
  await sleep(20);
  await engine.close();
  t.equal(engine.running, 0);
  for (const { result } of await Promise.all(rounds)) t.equal(result.items.length, 25);
});
