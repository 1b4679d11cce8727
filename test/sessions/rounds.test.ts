// Sessions over HTTP: what a round remembers, what a page continues, what an undo takes back, and who wins a race.

import { unpack } from 'msgpackr';
import t from 'tap';
import { buildSmallIndex, type ProblemReply, startTestServer } from '../support.ts';
import { createSession, type RoundReply, SessionClient, type SessionReply, timeless } from './client.ts';

const items = 1500;
const directory = await buildSmallIndex(t, { items, attachments: true });
const server = await startTestServer(t, { collections: { small: directory } });
const labels = { positive: [3, 14, 159], negative: [2, 71, 828, 1001] };

interface ModelReply {
  readonly modalities: Readonly<
    Record<string, { readonly layers: readonly { readonly weights: number[][]; readonly bias: number[] }[] }>
  >;
  readonly training: { readonly seed: number };
}

function idsOf({ items }: RoundReply): number[] {
  return items.map(({ id }) => id);
}

t.test('a session is made with its settings, told of, and gone after it is deleted', async (t) => {
  const settings = { k: 7, seed: 5, modalities: { text: { weight: 2 } } };
  const made = await createSession<SessionReply>(server, settings);
  t.equal(made.status, 201);
  t.equal(made.headers.get('location'), `/v1/sessions/${made.body.id}`);
  t.equal(made.headers.get('etag'), '"r0"');
  t.match(made.body, { collection: 'small', revision: 0, rounds: 0, positives: 0, seen: 0, settings, seed: 5 });
  const session = new SessionClient(server, made.body.id);
  t.strictSame((await session.get()).body, made.body);
  t.equal((await session.call('DELETE', '')).status, 204);
  for (const method of ['DELETE', 'GET']) {
    const again = await session.call<ProblemReply>(method, '');
    t.match(again, { status: 404, body: { type: '/docs#unknown-session' } });
  }
  const bare = await server.request<SessionReply>('/v1/collections/small/sessions', { method: 'POST' });
  t.match(bare, { status: 201, body: { settings: {}, seed: 0 } }, 'a body is not needed');
});

t.test('settings that no round could use are refused at once', async (t) => {
  const refused = [
    [{ k: 10, mix: { farthest: 3 } }, 400, '/mix'],
    [{ modalities: { sound: {} } }, 422, '/modalities/sound'],
    [{ labels }, 400, '/labels'],
    [{ k: 0 }, 400, '/k'],
  ] as const;
  for (const [settings, status, pointer] of refused) {
    t.match(await createSession<ProblemReply>(server, settings), { status, body: { errors: [{ pointer }] } });
  }
  const nowhere = await createSession<ProblemReply>(server, {}, 'nowhere');
  t.match(nowhere, { status: 404, body: { type: '/docs#unknown-collection' } });
});

t.test('a round is the stateless round of the labels so far, without what was seen', async (t) => {
  const session = await SessionClient.create(server, { k: 20, seed: 9, search: { clusters: 30 } });
  const first = await session.round({ labels });
  t.equal(first.headers.get('etag'), '"r1"');
  t.match(first.body.session, { id: session.id, revision: 1, round: 1, page: 0 });
  const settings = { k: 20, search: { clusters: 30 } };
  const alone = await server.suggest<RoundReply>({ ...settings, labels, seed: first.body.seed });
  t.strictSame(first.body.items, alone.body.items);

  const [liked = 0, disliked = 0] = idsOf(first.body);
  const second = await session.round({ labels: { positive: [liked], negative: [disliked], removed: [71] } });
  const grown = { positive: [...labels.positive, liked], negative: [2, 828, 1001, disliked] };
  const body = { ...settings, labels: grown, exclude: idsOf(first.body), seed: second.body.seed };
  t.strictSame(second.body.items, (await server.suggest<RoundReply>(body)).body.items);
  t.not(second.body.seed, first.body.seed, 'each round has a seed of its own');
  const seen = new Set(idsOf(first.body));
  t.ok(
    idsOf(second.body).every((id) => !seen.has(id)),
    'nothing comes twice',
  );
  t.match((await session.get()).body, { revision: 2, rounds: 2, positives: 4, negatives: 4, seen: 40 });
});

t.test('a round may differ from the settings of its session, for itself alone', async (t) => {
  const session = await SessionClient.create(server, { k: 5, model: { kind: 'rocchio' } });
  const own = await session.round({ labels, k: 8, model: { kind: 'linear_svm', c: 3 }, seed: 77 });
  t.match(own.body, { seed: 77, model: { kind: 'linear_svm' }, items: { length: 8 } });
  const next = await session.round();
  t.match(next.body, { model: { kind: 'rocchio' }, items: { length: 5 } });
});

t.test('what was seen comes again when asked for; what is labelled or excluded never does', async (t) => {
  const session = await SessionClient.create(server, { k: 30, search: { exhaustive: true } });
  const first = await session.round({ labels });
  const [gone = 0, liked = 0] = idsOf(first.body);
  const again = await session.round({ resurface: true, exclude: [gone], labels: { positive: [liked] } });
  const back = idsOf(again.body).filter((id) => idsOf(first.body).includes(id));
  t.ok(back.length > 5, 'the best of the first round are among the best of the second');
  t.notOk(back.includes(gone) || back.includes(liked));
  t.match((await session.get()).body, { excluded: 1 });
});

t.test('pages continue the ranking of the last round, and the same cursor gives the same page', async (t) => {
  const options = { k: 10, search: { exhaustive: true }, modalities: { visual: {} } };
  const session = await SessionClient.create(server, options);
  const first = await session.round({ labels });
  const page = await session.more(first.body.more ?? '', 15);
  const further = await session.more(page.body.more ?? '');
  const all = await server.suggest<RoundReply>({ ...options, labels, k: 35, seed: first.body.seed });
  const shown = [first, page, further].flatMap(({ body }) => body.items);
  t.strictSame(
    shown.map(({ id, score }) => [id, score]),
    all.body.items.map(({ id, score }) => [id, score]),
    'the pages are one ranking',
  );
  t.strictSame([page.body.session.page, further.body.session.page], [1, 2]);
  t.equal(further.headers.get('etag'), '"r1"', 'a page is no change');
  const repeated = await session.more(first.body.more ?? '', 15);
  t.strictSame(timeless(repeated.body), timeless(page.body));
  t.match((await session.get()).body, { seen: 35, events: 4 });
  const other = await session.more(first.body.more ?? '', 16);
  t.match(other, { status: 422, body: { errors: [{ pointer: '/query/k' }] } });

  await session.round();
  t.match(await session.more(first.body.more ?? ''), { status: 410, body: { type: '/docs#stale-cursor' } });
  const forged = Buffer.from(first.body.more ?? '', 'base64url');
  forged[0] = (forged[0] as number) ^ 1;
  for (const cursor of [forged.toString('base64url'), 'x', first.body.more?.slice(0, 20) ?? '']) {
    t.match(await session.more(cursor), { status: 400, body: { errors: [{ pointer: '/query/cursor' }] } });
  }
  t.match(await session.more(first.body.more ?? '', 20_000), { status: 410 });
});

t.test('labels are read, set and removed, all or one, by number and by key', async (t) => {
  const session = await SessionClient.create(server);
  const put = await session.call('PUT', '/labels', { positive: [4, 'photo/9'], negative: [1] });
  t.match(put, { status: 200, body: { labels: { length: 3 } } });
  t.equal(put.headers.get('etag'), '"r1"');
  t.strictSame(await session.labels(), [
    { id: 4, key: 'photo/4', label: 'positive' },
    { id: 9, key: 'photo/9', label: 'positive' },
    { id: 1, key: 'photo/1', label: 'negative' },
  ]);
  const same = await session.call('PUT', '/labels/4', { label: 'positive' });
  t.equal(same.headers.get('etag'), '"r1"', 'the same label again changes nothing');
  t.match(await session.call('PUT', '/labels/photo%2F4', { label: 'negative' }), {
    status: 200,
    body: { id: 4, key: 'photo/4', label: 'negative' },
  });
  t.equal((await session.call('DELETE', '/labels/9')).status, 204);
  t.match(await session.call('DELETE', '/labels/9'), { status: 404, body: { type: '/docs#unknown-label' } });
  t.match(await session.call('GET', '/labels/9'), { status: 404, body: { type: '/docs#unknown-label' } });
  t.match(await session.call('GET', '/labels/1500'), { status: 422, body: { type: '/docs#unknown-item' } });
  t.match(await session.call('PUT', '/labels', { positive: [1], negative: [1] }), { status: 422 });
  t.match(await session.call('PUT', '/labels/1', { label: 'maybe' }), { status: 400 });
  const cleared = await session.call('DELETE', '/labels');
  t.match(cleared, { status: 204 });
  t.strictSame(await session.labels(), []);
});

t.test('the model scores items as rounds do, and is told of what it learnt', async (t) => {
  const session = await SessionClient.create(server, {
    modalities: { visual: {} },
    k: 5,
    search: { exhaustive: true },
  });
  const none = await session.call<ProblemReply>('GET', '/model');
  t.match(none, { status: 409, body: { type: '/docs#no-model' } });
  await session.call('PUT', '/labels', labels);
  const { status, body } = await session.call<ModelReply>('GET', '/model');
  t.equal(status, 200);
  t.match(body, { format: 'farsight-model', version: 1, kind: 'linear_svm', feature_space: /^[0-9a-f]{32}$/ });
  t.match(body.training, { positives: 3, negatives: 4, pseudo_negatives: 0, session: session.id, revision: 1 });
  t.match(body.modalities, { visual: { dims: 16, weight: 1, layers: { length: 1 } } });
  const [layer] = body.modalities['visual']?.layers ?? [];
  const [weights = []] = layer?.weights ?? [];
  const round = await session.round();
  t.equal(round.body.seed, body.training.seed, 'it is the model of the next round');
  for (const { id, score } of round.body.items) {
    const item = await server.request<{ features: { visual: { values: number[] } } }>(
      `/v1/collections/small/items/${id}?features=true`,
    );
    const { values } = item.body.features.visual;
    const sum = values.reduce((total, value, d) => total + value * (weights[d] ?? 0), layer?.bias[0] ?? 0);
    // Features and weights are told in single precision.
    t.ok(Math.abs(sum - score) < 1e-4 * (1 + Math.abs(score)), `${sum} and ${score}`);
  }
});

t.test('answers about sessions come as msgpack where it is asked for', async (t) => {
  const session = await SessionClient.create(server, { k: 3 });
  await session.round({ labels });
  for (const path of ['', '/labels', '/labels/3', '/model']) {
    const [plain, packed] = [
      await session.call('GET', path),
      await session.call('GET', path, undefined, { accept: 'application/msgpack' }),
    ];
    t.equal(packed.headers.get('content-type'), 'application/msgpack');
    t.strictSame(packed.body, plain.body, path);
  }
});

t.test('an undo takes back the last round, and the same round again gives the same suggestions', async (t) => {
  const session = await SessionClient.create(server, { k: 10, seed: 3, mix: { farthest: 6, random: 4 } });
  const first = await session.round({ labels });
  const change = { labels: { positive: [500], removed: [3] } };
  const second = await session.round(change);
  await session.call('PUT', '/labels/600', { label: 'negative' });
  const undone = await session.call<SessionReply>('POST', '/undo');
  t.match(undone, { status: 200, body: { revision: 4, rounds: 1, positives: 3, negatives: 4, seen: 10 } });
  t.equal(undone.headers.get('etag'), '"r4"');
  const again = await session.round(change);
  t.strictSame(again.body.items, second.body.items);
  t.equal(again.body.seed, second.body.seed);
  await session.call('POST', '/undo');
  t.match((await session.call('POST', '/undo')).body, { rounds: 0, positives: 0, seen: 0 });
  t.match(await session.call('POST', '/undo'), { status: 409, body: { type: '/docs#nothing-to-undo' } });
  t.strictSame((await session.round({ labels })).body.items, first.body.items);
});

t.test('a fork goes its own way from where it was made', async (t) => {
  const session = await SessionClient.create(server, { k: 6 });
  const first = await session.round({ labels });
  const forked = await session.call<SessionReply>('POST', '/fork');
  t.equal(forked.status, 201);
  t.equal(forked.headers.get('location'), forked.body.url);
  t.match(forked.body, { revision: 1, rounds: 1, positives: 3, seen: 6, from: { session: session.id, revision: 1 } });
  const fork = new SessionClient(server, forked.body.id);
  t.match(await fork.more(first.body.more ?? ''), { status: 400 }, 'a cursor belongs to one session');
  const change = { labels: { negative: [100] } };
  const [here, there] = [await session.round(change), await fork.round(change)];
  t.strictSame(here.body.items, there.body.items);
  await fork.round({ labels: { positive: [200] } });
  t.match((await session.get()).body, { rounds: 2, positives: 3 });
  t.match((await fork.get()).body, { rounds: 3, positives: 4 });
});

t.test('If-Match lets a change pass at its revision only', async (t) => {
  const session = await SessionClient.create(server);
  await session.round({ labels }, { 'if-match': '"r0"' });
  const stale = await session.round({}, { 'if-match': '"r0"' });
  t.match(stale, { status: 412, body: { type: '/docs#stale-revision' } });
  t.equal(stale.headers.get('etag'), '"r1"', 'the answer says where the session stands');
  t.equal((await session.call('PUT', '/labels/5', { label: 'positive' }, { 'if-match': 'W/"r1"' })).status, 412);
  t.equal((await session.call('PUT', '/labels/5', { label: 'positive' }, { 'if-match': '"r0", "r1"' })).status, 200);
  t.equal((await session.call('POST', '/undo', undefined, { 'if-match': '"r1"' })).status, 412);
  t.equal((await session.call('DELETE', '', undefined, { 'if-match': '*' })).status, 204);
});

t.test('of clients that race with the same If-Match exactly one wins', async (t) => {
  const session = await SessionClient.create(server, { k: 3 });
  for (let round = 0; round < 5; round++) {
    const racers = Array.from({ length: 8 }, (_, i) =>
      session.round({ labels: { positive: [100 * round + i] } }, { 'if-match': `"r${round}"` }),
    );
    const statuses = (await Promise.all(racers)).map(({ status }) => status).sort();
    t.strictSame(statuses, [200, ...Array.from({ length: 7 }, () => 412)]);
  }
  t.match((await session.get()).body, { revision: 5, rounds: 5, positives: 5, seen: 15 });
});

t.test('an Idempotency-Key gives the same bytes again, and refuses another body', async (t) => {
  const session = await SessionClient.create(server, { k: 4, format: 'columns' });
  const send = (accept: string, body: unknown, key: string) =>
    fetch(`${server.url}/v1/sessions/${session.id}/rounds`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', accept, 'idempotency-key': key, 'if-match': '"r0"' },
    });
  const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());
  const first = await bytesOf(await send('application/json', { labels }, 'a'));
  const second = await send('application/json', { labels }, 'a');
  t.equal(second.headers.get('etag'), '"r1"');
  t.ok(first.equals(await bytesOf(second)), 'byte for byte, although the revision has passed');
  const packed = unpack(await bytesOf(await send('application/msgpack', { labels }, 'a'))) as RoundReply;
  t.type(packed.columns?.ids, Uint32Array);
  t.strictSame([...Array.from(packed.columns?.ids ?? [])], (JSON.parse(`${first}`) as RoundReply).columns?.ids);
  t.equal((await send('application/json', { labels: { positive: [3] } }, 'a')).status, 422);
  t.match((await session.get()).body, { rounds: 1 });
  t.equal((await send('application/json', {}, '')).status, 400);
});

t.test('the log replayed onto a new session gives the same suggestions and the same state', async (t) => {
  const settings = { k: 9, seed: 11, mix: { farthest: 5, random: 2, grid: 2 } };
  const session = await SessionClient.create(server, settings);
  const first = await session.round({ labels, exclude: [7] });
  const page = await session.more(first.body.more ?? '', 5);
  await session.more(page.body.more ?? '');
  await session.round({ labels: { positive: [first.body.items[0]?.id], removed: [2] } });
  await session.call('PUT', '/labels/900', { label: 'negative' });
  await session.call('POST', '/undo');
  await session.round({ resurface: true, search: { clusters: 10 }, labels: { negative: [page.body.items[0]?.id] } });
  await session.call('PUT', '/labels', { positive: [1, 2, 3], negative: [14] });
  const log = await session.log();
  t.notMatch(JSON.stringify(log), 'secret');

  const copy = await SessionClient.create(server, (log[0] as { settings?: unknown }).settings);
  let cursor = '';
  for (const event of log.slice(1)) cursor = (await replay(copy, event, cursor)) ?? cursor;
  const shape = (events: Awaited<ReturnType<typeof copy.log>>) => events.slice(1).map(({ at: _at, ...rest }) => rest);
  t.strictSame(shape(await copy.log()), shape(log), 'suggestions are part of the log');
  const { id: _a, url: _b, bytes: _c, ...before } = (await session.get()).body as SessionReply & { bytes: number };
  t.match((await copy.get()).body, {
    revision: before.revision,
    rounds: before.rounds,
    positives: before.positives,
    seen: before.seen,
    excluded: before.excluded,
  });
  t.strictSame(await copy.labels(), await session.labels());
});

t.test('a session is bound to the index it was made on, and to its limits', async (t) => {
  const limits = { maxSessionEvents: 3, maxSessions: 2, maxSessionItems: 60 };
  const small = await startTestServer(t, { collections: { small: directory }, ...limits });
  const session = await SessionClient.create(small, { k: 10 });
  t.match(await session.round({ k: 61 }), { status: 409, body: { type: '/docs#session-full' } });
  await session.round({ labels });
  await session.call('PUT', '/labels/5', { label: 'positive' });
  t.match(await session.round(), { status: 409, body: { type: '/docs#session-full' } });
  t.match((await session.get()).body, { rounds: 1, positives: 4, seen: 10 }, 'nothing has changed');
  await SessionClient.create(small);
  const third = await createSession<ProblemReply>(small, {});
  t.match(third, { status: 503, body: { type: '/docs#too-many-sessions' } });
  t.equal(third.headers.get('retry-after'), '60');
});

/** Does what an event of a log says; gives the cursor of the ranking it leaves. */
async function replay(session: SessionClient, event: Record<string, unknown>, cursor: string): Promise<string | null> {
  const { type, labels, exclude, settings, resurface, k } = event;
  if (type === 'round') {
    return (await session.round({ ...(settings as object), labels, exclude, resurface })).body.more ?? null;
  }
  if (type === 'more') return (await session.more(cursor, k as number)).body.more ?? null;
  if (type === 'undo') await session.call('POST', '/undo');
  if (type === 'labels') {
    const now = new Map((await session.labels()).map(({ id, label }) => [id, label]));
    const { removed, positive, negative } = event as Record<'removed' | 'positive' | 'negative', number[]>;
    for (const id of [...removed, ...positive, ...negative]) now.delete(id);
    for (const label of ['positive', 'negative'] as const) {
      for (const id of event[label] as number[]) now.set(id, label);
    }
    const of = (wanted: string) => [...now].filter(([, label]) => label === wanted).map(([id]) => id);
    await session.call('PUT', '/labels', { positive: of('positive'), negative: of('negative') });
  }
  return null;
}
