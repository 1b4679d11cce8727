// Filters over HTTP: only what passes is suggested, by every sampler, in rounds, sessions and explorations.

import t from 'tap';
import { SessionClient } from '../sessions/client.ts';
import { buildSmallIndex, type ProblemReply, startTestServer } from '../support.ts';

interface Answer {
  readonly items: readonly { readonly id: number; readonly source: string }[];
  readonly coverage: Readonly<Record<string, number>> & { readonly complete: boolean };
}

const items = 1500;
// Item i is of the year 2000 + i % 20, with the title `Photo i`.
const directory = await buildSmallIndex(t, { items, attachments: true });
const server = await startTestServer(t, { collections: { small: directory } });
const labels = { positive: [3, 14, 159], negative: [2, 71, 828, 1001] };
const recent = { must: [{ field: 'year', range: { gte: 2017, lt: 2019 } }] };
const isRecent = (id: number): boolean => id % 20 === 17 || id % 20 === 18;

t.test('a filtered round suggests what an exhaustive one over the items that pass would', async (t) => {
  const search = { exhaustive: true };
  const modalities = { visual: {} };
  const all = await server.suggest<Answer>({ labels, k: items, search, modalities });
  const expected = all.body.items.map(({ id }) => id).filter(isRecent);
  const filtered = await server.suggest<Answer>({ labels, k: 40, search, modalities, diversity: 1, filter: recent });
  t.equal(filtered.status, 200);
  t.strictSame(
    filtered.body.items.map(({ id }) => id),
    expected.slice(0, 40),
  );
  t.match(filtered.body.coverage, { items_passing: 150, complete: true });
  t.notOk('items_passing' in all.body.coverage, 'nothing is said of a filter where there is none');
  const clusters = await server.suggest<Answer>({ labels, k: 40, filter: recent });
  t.ok(clusters.body.items.length === 40 && clusters.body.items.every(({ id }) => isRecent(id)));
  const packed = await server.suggest<Answer>({ labels, k: 40, filter: recent }, 'msgpack');
  t.strictSame(packed.body.items, clusters.body.items, 'in msgpack too');
});

t.test('a filter that few items pass is searched until all of them are found, and says so', async (t) => {
  const titles = ['Photo 5', 'Photo 1203', 'Photo 3', 'Photo 9999'];
  const filter = { must: [{ field: 'title', in: titles }] };
  const { status, body } = await server.suggest<Answer>({ labels, filter, search: { clusters: 1 } });
  t.equal(status, 200);
  t.strictSame(body.items.map(({ id }) => id).sort(), [1203, 5], 'but for the labelled one');
  t.match(body.coverage, { items_passing: 3, complete: false });
  const none = await server.suggest<Answer>({ labels, filter: { must: [{ field: 'yaer', range: { gte: 0 } }] } });
  t.match(none, { status: 200, body: { items: [], coverage: { items_passing: 0, complete: false } } });
});

t.test('every sampler and every round without a model keeps to the filter', async (t) => {
  const mix = { farthest: 4, spread: 4, random: 4, grid: 4 };
  const mixed = await server.suggest<Answer>({ labels, k: 16, mix, random: { alpha: -1 }, filter: recent });
  t.equal(mixed.body.items.length, 16);
  t.strictSame(new Set(mixed.body.items.map(({ source }) => source)), new Set(Object.keys(mix)));
  t.ok(mixed.body.items.every(({ id }) => isRecent(id)));
  const explored = await server.suggest<Answer>({ k: 150, filter: recent, exclude: [17, 18] });
  t.strictSame(
    explored.body.items.map(({ id }) => id).sort((a, b) => a - b),
    Array.from({ length: items }, (_, id) => id).filter((id) => isRecent(id) && id > 18),
    'exploring finds all there are',
  );
  t.match(explored.body.coverage, { items_passing: 150, complete: false });
});

t.test('a session keeps its filter, and a round may have another', async (t) => {
  const session = await SessionClient.create(server, { k: 20, filter: recent });
  const first = await session.round({ labels });
  t.ok(first.body.items.length === 20 && first.body.items.every(({ id }) => isRecent(id)));
  const other = await session.round({ filter: { must: [{ field: 'year', in: [2004] }] } });
  t.ok(other.body.items.length === 20 && other.body.items.every(({ id }) => id % 20 === 4));
  const more = await session.call<Answer>('GET', `/more?cursor=${other.body.more}`);
  t.ok(more.body.items.length === 20 && more.body.items.every(({ id }) => id % 20 === 4), 'pages are of the same');
});

t.test('filters that say nothing or apply to nothing are refused with their place', async (t) => {
  const bare = await startTestServer(t, { collections: { small: await buildSmallIndex(t, { items: 60 }) } });
  const ask = (filter: unknown, to = server) => to.suggest<ProblemReply>({ labels: { positive: [1] }, filter });
  const refused = [
    [{ must: [{ field: 'year' }] }, '/filter/must/0'],
    [{ must: [{ field: 'year', range: { gte: 1 }, in: [1] }] }, '/filter/must/0'],
    [
      {
        must: [
          { field: 'year', in: [1] },
          { field: 'year', range: { over: 1 } },
        ],
      },
      '/filter/must/1/range/over',
    ],
    [{ must: [{ field: 'year', range: {} }] }, '/filter/must/0/range'],
    [{ must: [{ field: 'year', in: [[1]] }] }, '/filter/must/0/in/0'],
    [{ must: [{ field: 'year', in: Array(1001).fill(1) }] }, '/filter/must/0/in'],
    [{ must: Array(33).fill({ field: 'year', in: [1] }) }, '/filter/must'],
  ] as const;
  for (const [filter, pointer] of refused) {
    t.match(await ask(filter), { status: 400, body: { errors: [{ pointer }] } }, pointer);
  }
  t.match(await ask(recent, bare), { status: 422, body: { errors: [{ pointer: '/filter', detail: /no metadata/ }] } });
});
