// Rounds over HTTP: what is answered to what is asked, in both formats, the same every time.

import t from 'tap';
import { buildSmallIndex, startTestServer } from '../support.ts';

interface Answer {
  readonly items: readonly {
    readonly id: number;
    readonly key?: string;
    readonly score: number;
    readonly source: string;
    readonly modalities: Readonly<Record<string, { readonly score: number; readonly rank: number }>>;
  }[];
  readonly model: Readonly<Record<string, unknown>>;
  readonly mix: Readonly<Record<string, { readonly share: number; readonly suggested: number }>>;
  readonly coverage: Readonly<Record<string, number>> & { readonly complete: boolean };
  readonly index: { readonly generation: string; readonly items: number };
  readonly seed: number;
  readonly elapsed_ms: number;
}

interface ColumnsAnswer {
  readonly columns: {
    readonly ids: Uint32Array | number[];
    readonly keys?: readonly string[];
    readonly scores: Float32Array | number[];
    readonly sources: readonly string[];
    readonly modalities: Readonly<Record<string, { scores: Float32Array | number[]; ranks: Float32Array | number[] }>>;
  };
}

const items = 1500;
const directory = await buildSmallIndex(t, { items, attachments: true });
const server = await startTestServer(t, { collections: { small: directory } });
const labels = { positive: [3, 14, 159], negative: [2, 71, 828, 1001] };

t.test('a round suggests k unlabelled items, best first, and says how it was computed', async (t) => {
  const { status, headers, body } = await server.suggest<Answer>({ labels, exclude: [5, 3], k: 40, seed: 7 });
  t.equal(status, 200);
  t.equal(body.items.length, 40);
  const left = new Set([...labels.positive, ...labels.negative, 5]);
  for (const [i, item] of body.items.entries()) {
    t.notOk(left.has(item.id), 'labelled and excluded items are left out');
    t.equal(item.key, `photo/${item.id}`);
    t.equal(item.source, 'farthest');
    t.strictSame(Object.keys(item.modalities).sort(), ['text', 'visual']);
    t.ok(i === 0 || item.score <= (body.items[i - 1]?.score ?? 0), 'scores descend');
  }
  t.equal(new Set(body.items.map(({ id }) => id)).size, 40, 'no item twice');
  t.strictSame(body.model, { kind: 'linear_svm', positives: 3, negatives: 4, pseudo_negatives: 0 });
  t.match(body, { seed: 7, index: { items, generation: /^[0-9a-f]+$/ }, coverage: { complete: true } });
  t.ok(body.elapsed_ms > 0);
  t.match(
    headers.get('server-timing'),
    /^queue;dur=[\d.]+, fit;dur=[\d.]+, select;dur=[\d.]+, score;dur=[\d.]+, fuse;dur=[\d.]+$/,
  );
});

t.test('the same body gives the same answer at any number of threads, timings aside', async (t) => {
  const one = await startTestServer(t, { collections: { small: directory }, workers: 1 });
  const untimed = ({ elapsed_ms: _, ...rest }: Answer) => rest;
  for (const search of [{ clusters: 8, segments: 4 }, { exhaustive: true }]) {
    const ask = (workers: number) => ({ labels, k: 50, seed: 11, search: { ...search, workers } });
    const first = untimed((await one.suggest<Answer>(ask(1))).body);
    for (const workers of [1, 2, 3]) {
      t.strictSame(untimed((await server.suggest<Answer>(ask(workers))).body), first, `w = ${workers}`);
      t.strictSame(untimed((await one.suggest<Answer>(ask(workers))).body), first, `w = ${workers} on one thread`);
    }
  }
});

t.test('msgpack says what JSON says', async (t) => {
  const ask = { labels, k: 10, seed: 3 };
  const json = await server.suggest<Answer>(ask);
  const msgpack = await server.suggest<Answer>(ask, 'msgpack');
  t.equal(msgpack.headers.get('content-type'), 'application/msgpack');
  t.strictSame({ ...msgpack.body, elapsed_ms: 0 }, { ...json.body, elapsed_ms: 0 });
});

t.test('columns hold what items hold, as typed arrays in msgpack', async (t) => {
  const ask = { labels, k: 10, seed: 3 };
  const { items } = (await server.suggest<Answer>(ask)).body;
  const json = (await server.suggest<ColumnsAnswer>({ ...ask, format: 'columns' })).body.columns;
  const typed = (await server.suggest<ColumnsAnswer>({ ...ask, format: 'columns' }, 'msgpack')).body.columns;
  const ids = items.map(({ id }) => id);
  t.strictSame(json.ids, ids);
  t.strictSame(
    json.keys,
    items.map(({ key }) => key),
  );
  t.strictSame(
    json.scores,
    items.map(({ score }) => score),
  );
  t.strictSame(
    json.modalities['text']?.ranks,
    items.map(({ modalities }) => modalities['text']?.rank),
  );
  t.ok(typed.ids instanceof Uint32Array && typed.scores instanceof Float32Array);
  t.strictSame([...typed.ids], ids);
  t.strictSame(
    [...typed.scores],
    items.map(({ score }) => Math.fround(score)),
  );
  t.strictSame(typed.keys, json.keys);
});

t.test('a key stands for its item number anywhere', async (t) => {
  const byNumber = await server.suggest<Answer>({ labels, exclude: [5], k: 5 });
  const key = (item: number) => `photo/${item}`;
  const byKey = await server.suggest<Answer>({
    labels: { positive: labels.positive.map(key), negative: [...labels.negative.map(key), 2] },
    exclude: [key(5)],
    k: 5,
  });
  t.strictSame({ ...byKey.body, elapsed_ms: 0 }, { ...byNumber.body, elapsed_ms: 0 });
});

t.test('exclude takes items out and may repeat labelled ones', async (t) => {
  const first = (await server.suggest<Answer>({ labels, k: 10 })).body.items.map(({ id }) => id);
  const exclude = [...first, ...labels.positive, ...labels.negative];
  const second = (await server.suggest<Answer>({ labels, exclude, k: 10 })).body.items.map(({ id }) => id);
  t.equal(second.length, 10);
  t.notOk(second.some((id) => first.includes(id)));
});

t.test('only positives: random items stand in for negatives, and the answer says so', async (t) => {
  const { status, body } = await server.suggest<Answer>({ labels: { positive: [1, 2] } });
  t.equal(status, 200);
  t.equal(body.items.length, 25);
  t.match(body.model, { kind: 'linear_svm', positives: 2, negatives: 0 });
  t.ok(Number(body.model['pseudo_negatives']) > 0);
});

t.test('only negatives, or no labels at all: the round explores, differently by seed', async (t) => {
  for (const ask of [{ labels: { negative: [1, 2] } }, { labels: {} }, {}]) {
    const { status, body } = await server.suggest<Answer>({ ...ask, seed: 1 });
    t.equal(status, 200);
    t.equal(body.items.length, 25);
    t.ok(body.items.every(({ id, source }) => source === 'random' && id !== 1 && id !== 2));
    const other = await server.suggest<Answer>({ ...ask, seed: 2 });
    t.not(other.body.items[0]?.id, body.items[0]?.id);
  }
});

t.test('k above what is left gives everything that is left and says that it is not k', async (t) => {
  const { status, body } = await server.suggest<Answer>({ labels, k: 5000 });
  t.equal(status, 200);
  t.equal(body.items.length, items - labels.positive.length - labels.negative.length);
  t.equal(body.coverage.complete, false);
});

t.test('the models and their options are taken', async (t) => {
  const models = [
    { kind: 'linear_svm', c: 0.01, loss: 'squared_hinge', positive_weight: 2 },
    { kind: 'mlp' },
    { kind: 'mlp', hidden: [], c: 3 },
    { kind: 'mlp', hidden: [8, 4] },
    { kind: 'rocchio' },
    { kind: 'rocchio', positive_weight: 2, negative_weight: 0 },
  ];
  for (const model of models) {
    const { status, body } = await server.suggest<Answer>({ labels, model });
    t.equal(status, 200);
    t.equal(body.model['kind'], model.kind);
    t.equal(body.items.length, 25);
  }
});

t.test('a mix of k farthest changes nothing, nor does a diversity of 1 where k is above 50', async (t) => {
  const plain = await server.suggest<Answer>({ labels, k: 51 });
  const named = await server.suggest<Answer>({ labels, k: 51, mix: { farthest: 51 }, diversity: 1 });
  t.equal(named.status, 200);
  t.strictSame({ ...named.body, elapsed_ms: 0 }, { ...plain.body, elapsed_ms: 0 });
  t.equal((await server.suggest({ labels, mix: { farthest: 25 } })).status, 200, 'the default of k counts');
});

t.test('a mix of samplers: every item says which chose it, the answer what each gave', async (t) => {
  const mix = { farthest: 10, spread: 5, random: 5, grid: 5 };
  const options = {
    spread: { from: 'latest', count: 2 },
    random: { alpha: 0 },
    grid: { components: 2, segments: 5, zeta: 0.5 },
  };
  const ask = { labels, seed: 6, mix, ...options };
  const { status, body } = await server.suggest<Answer>(ask);
  t.equal(status, 200);
  for (const [sampler, share] of Object.entries(mix)) {
    t.equal(body.items.filter(({ source }) => source === sampler).length, share, sampler);
    t.strictSame(body.mix[sampler], { share, suggested: share });
  }
  t.ok(
    body.items.every(({ score }, i) => i === 0 || score <= (body.items[i - 1]?.score ?? 0)),
    'scores descend',
  );
  const again = await server.suggest<Answer>({ ...ask, search: { workers: 3 } });
  t.strictSame(again.body.items, body.items, 'replayed at another number of threads');
  t.equal(body.coverage['survey'], 'exact');
  const columns = (await server.suggest<ColumnsAnswer>({ ...ask, format: 'columns' }, 'msgpack')).body.columns;
  t.strictSame(
    columns.sources,
    body.items.map(({ source }) => source),
  );
});

t.test('a share that cannot be filled is handed on, and the answer says so', async (t) => {
  const ask = { labels, mix: { random: 20, farthest: 5 }, random: { alpha: 10 } };
  const { status, body } = await server.suggest<Answer>(ask);
  t.equal(status, 200);
  t.strictSame(body.mix, {
    farthest: { share: 5, suggested: 25 },
    random: { share: 20, suggested: 0 },
  });
  t.equal(body.coverage.complete, true);
});

t.test('a diversity keeps similar items out, and is counted', async (t) => {
  const modalities = { text: {} };
  const plain = await server.suggest<Answer>({ labels, modalities, diversity: 1 });
  const diverse = await server.suggest<Answer>({ labels, modalities, diversity: 0.5 });
  t.equal(diverse.body.items.length, 25);
  t.equal(plain.body.coverage['similar_omitted'], 0);
  t.ok((diverse.body.coverage['similar_omitted'] ?? 0) > 0);
  t.equal(diverse.body.items[0]?.id, plain.body.items[0]?.id, 'the best stays');
  t.notSame(
    diverse.body.items.map(({ id }) => id),
    plain.body.items.map(({ id }) => id),
  );
});

t.test('modalities take part by name and weight', async (t) => {
  const visual = await server.suggest<Answer>({ labels, modalities: { visual: {} } });
  t.strictSame(Object.keys(visual.body.items[0]?.modalities ?? {}), ['visual']);
  t.ok(visual.body.items.every(({ score, modalities }) => score === modalities['visual']?.score));
  const without = await server.suggest<Answer>({ labels, modalities: { visual: { weight: 2 }, text: { weight: 0 } } });
  t.strictSame(without.body.items, visual.body.items, 'weight 0 leaves a modality out');
  const both = await server.suggest<Answer>({ labels });
  const ordered = await server.suggest<Answer>({ labels, modalities: { text: { weight: 1 }, visual: { weight: 1 } } });
  t.strictSame(ordered.body.items, both.body.items, 'the order of the names does not matter');
});

t.test('more clusters than there are means all, as many items as exhaustive', async (t) => {
  const all = await server.suggest<Answer>({ labels, k: 5, search: { clusters: 2 ** 31 } });
  const exhaustive = await server.suggest<Answer>({ labels, k: 5, search: { exhaustive: true } });
  t.equal(all.status, 200);
  t.ok((all.body.coverage['items_scored'] ?? 0) >= 2 * (items - 8) * 0.9);
  t.equal(exhaustive.body.items.length, 5);
});

t.test('a budget that is over at once still gives 200 and an answer that says it is partial', async (t) => {
  const { status, body } = await server.suggest<Answer>({ labels, budget_ms: 1, k: 5, search: { exhaustive: true } });
  t.equal(status, 200);
  t.type(body.coverage.complete, 'boolean');
});

t.test('an answer goes by what the request accepts, whatever its own type is', async (t) => {
  const body = JSON.stringify({ labels, k: 1 });
  const accepts: [string, string][] = [
    ['application/msgpack;q=0.5, application/json;q=0.4', 'application/msgpack'],
    ['application/x-msgpack', 'application/msgpack'],
    ['application/*', 'application/json'],
    ['text/html, */*;q=0.1', 'application/json'],
    ['application/json;q=0, */*', 'application/msgpack'],
    ['', 'application/json'],
    ['application/problem+json', 'application/json'],
    ['application/problem+json, application/msgpack', 'application/msgpack'],
  ];
  for (const [accept, expected] of accepts) {
    const { headers } = await server.suggestRaw(body, { 'content-type': 'application/json; charset=utf-8', accept });
    t.match(headers.get('content-type'), expected, accept);
    t.equal(headers.get('vary'), 'Accept');
  }
  const refused = await server.suggestRaw(body, { 'content-type': 'application/json', accept: 'text/html' });
  t.equal(refused.status, 406);
});
