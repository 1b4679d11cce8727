// Admission, failure and shutdown: a full queue, clients that leave, threads that die, and a close while rounds run.

import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { buildSmallIndex, type ProblemReply, startTestServer } from '../support.ts';
import { faults } from './faults.ts';

const small = await buildSmallIndex(t, { items: 60 });
const worker = new URL('./slow-worker.js', import.meta.url);
const wait = (milliseconds: number) => ({
  labels: { positive: [1], negative: [2] },
  seed: faults.waits + milliseconds,
});

t.test(
  'past the queue a round is refused at once with 503 and Retry-After; those before it are answered',
  async (t) => {
    const server = await startTestServer(t, { collections: { small }, workers: 1, queueLength: 2 }, worker);
    const body = JSON.stringify(wait(300));
    const headers = { 'content-type': 'application/json', accept: 'application/msgpack' };
    const replies = await Promise.all(Array.from({ length: 6 }, () => server.suggestRaw<ProblemReply>(body, headers)));
    const refused = replies.filter(({ status }) => status === 503);
    t.equal(refused.length, 3);
    t.equal(replies.filter(({ status }) => status === 200).length, 3);
    for (const { headers, body } of refused) {
      t.equal(headers.get('retry-after'), '1');
      t.equal(headers.get('content-type'), 'application/problem+json');
      t.match(body, { type: '/docs#overloaded', detail: 'every thread is busy and the queue of 2 is full' });
    }
    const metrics = (await server.request<Buffer>('/metrics')).body.toString();
    t.match(metrics, 'outcome="refused"} 3');
  },
);

t.test('a queue of none refuses as soon as every thread is busy', async (t) => {
  const server = await startTestServer(t, { collections: { small }, workers: 1, queueLength: 0 }, worker);
  const replies = await Promise.all([1, 2].map(() => server.suggest<ProblemReply>(wait(200))));
  const [refused] = replies.filter(({ status }) => status === 503);
  t.equal(refused?.body.detail, 'every thread is busy and none may wait');
});

t.test(
  'waiting counts against the budget: a round past it is answered with nothing before a thread is free',
  async (t) => {
    const server = await startTestServer(t, { collections: { small }, workers: 1 }, worker);
    let busy = true;
    const first = server.suggest(wait(1000)).then(() => {
      busy = false;
    });
    await sleep(50);
    const labels = { positive: [1], negative: [2] };
    const waits = server.suggest<{ items: object[] }>({ labels });
    const late = await server.suggest<{ elapsed_ms: number }>({ labels, budget_ms: 20 });
    t.ok(busy, 'the only thread is still in the first round');
    t.equal(late.status, 200);
    t.match(late.body, { items: [], model: { kind: 'none' }, coverage: { items_scored: 0, complete: false } });
    t.ok(late.body.elapsed_ms >= 19, 'a timer may end in the millisecond before');
    await first;
    t.equal((await waits).body.items.length, 25, 'those that have time wait on');
    t.match((await server.request<Buffer>('/metrics')).body.toString(), 'outcome="partial"} 1');
  },
);

t.test('a waiting round whose client has gone is not computed', async (t) => {
  const server = await startTestServer(t, { collections: { small }, workers: 1, queueLength: 1 }, worker);
  const first = server.suggest(wait(400));
  await sleep(50);
  const leaving = new AbortController();
  const gone = fetch(`${server.url}/v1/collections/small/suggest`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(wait(60_000)),
    signal: leaving.signal,
  });
  await sleep(50);
  leaving.abort();
  await t.rejects(gone);
  await sleep(50);
  const next = await server.suggest(wait(0));
  t.equal(next.status, 200, 'its place in the queue is free again');
  t.equal((await first).status, 200);
  t.match((await server.request<Buffer>('/metrics')).body.toString(), 'outcome="abandoned"} 1');
});

t.test('an exception in a round is a logged 500 with its request id, and no detail for the client', async (t) => {
  const server = await startTestServer(t, { collections: { small } }, worker);
  const { status, body } = await server.suggest<ProblemReply>({ seed: faults.throws });
  t.equal(status, 500);
  t.equal(body.type, '/docs#internal-error');
  t.notMatch(body.detail, 'fault on demand');
  const [line] = server.log.filter(({ level }) => level === 50);
  t.match(line, { reqId: body.request_id, err: { message: 'a fault on demand' } });
  t.equal((await server.suggest({})).status, 200);
});

t.test('a thread that dies fails its round only and is replaced', async (t) => {
  const server = await startTestServer(t, { collections: { small }, workers: 1 }, worker);
  t.equal((await server.suggest({ seed: faults.exits })).status, 500);
  for (let i = 0; i < 3; i++) t.equal((await server.suggest({})).status, 200);
});

t.test('closing lets running and waiting rounds finish, then nobody listens', async (t) => {
  const server = await startTestServer(t, { collections: { small }, workers: 1 }, worker);
  const rounds = [server.suggest(wait(300)), server.suggest(wait(100))];
  await sleep(50);
  const started = performance.now();
  await server.close();
  t.ok(performance.now() - started < 5_000);
  for (const round of rounds) t.equal((await round).status, 200);
  await t.rejects(fetch(`${server.url}/livez`));
});

t.test('while it drains, the server says that it is not ready and still answers', async (t) => {
  const server = await startTestServer(t, { collections: { small }, drainMs: 300 });
  const closing = server.close();
  const ready = await server.request<ProblemReply>('/readyz');
  t.equal(ready.status, 503);
  t.equal(ready.body.type, '/docs#closing');
  t.equal((await server.request('/livez')).status, 200);
  t.equal((await server.suggest({})).status, 200);
  await closing;
});
