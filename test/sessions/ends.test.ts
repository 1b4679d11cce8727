// Where sessions and jobs end: nothing left to suggest or to label, limits that are met, and an index that was replaced.

import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { buildSmallIndex, type ProblemReply, startTestServer, temporaryFolder } from '../support.ts';
import { type RoundReply, SessionClient } from './client.ts';

const items = 60;
const small = await buildSmallIndex(t, { items });
const server = await startTestServer(t, { collections: { small }, sessionTtlS: 0, maxK: 50, jobTtlS: 0 });

interface JobReply {
  readonly id: string;
  readonly status: string;
  readonly result?: { readonly items: number; readonly audit?: string };
}

async function finished(id: string): Promise<JobReply> {
  for (;;) {
    const { body } = await server.request<JobReply>(`/v1/jobs/${id}`);
    if (body.status !== 'queued' && body.status !== 'running') return body;
    await sleep(10);
  }
}

const loopback = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === '::1');

t.test('an address of IPv6 is told as a URL takes it', { skip: loopback ? false : 'no IPv6 here' }, async (t) => {
  const { url } = await startTestServer(t, { collections: { small }, host: '::1' });
  t.match(url, /^http:\/\/\[::1\]:\d+$/);
  t.equal((await fetch(`${url}/livez`)).status, 200);
});

t.test('sessions that never expire do not say when', async (t) => {
  const session = await SessionClient.create(server);
  t.notOk('expires' in (await session.get()).body);
});

t.test('a ranking ends: the last page is short, the one after it empty and without another', async (t) => {
  const session = await SessionClient.create(server, { search: { exhaustive: true } });
  const first = await session.round({ labels: { positive: [1], negative: [2] }, k: 40 });
  t.match(await session.more(first.body.more ?? '', 51), { status: 400, body: { detail: 'k is 51, at most 50' } });
  const last = await session.more(first.body.more ?? '');
  t.equal(first.body.items.length + last.body.items.length, items - 2, 'all but the labelled ones');
  const empty = await session.more(last.body.more ?? '');
  t.match(empty, { status: 200, body: { items: [] } });
  t.equal(empty.body.more, undefined);
  const again = await session.round({ k: 5 });
  t.match(again.body, { items: [], coverage: { complete: false } });
  t.equal(again.body.more, undefined, 'nothing is left to page through');
  const resurfaced = await session.round({ k: 30, resurface: true });
  const page = await session.more(resurfaced.body.more ?? '', 50);
  const ids = [...resurfaced.body.items, ...page.body.items].map(({ id }) => id);
  t.equal(new Set(ids).size, items - 2, 'pages of a round that resurfaces do too, each item once');
});

t.test('labels that change nothing are no change, and one side alone replaces both', async (t) => {
  const session = await SessionClient.create(server);
  const put = (body: unknown) => session.call<{ labels: readonly unknown[] }>('PUT', '/labels', body);
  t.equal((await put({ positive: [1, 2] })).headers.get('etag'), '"r1"');
  t.equal((await put({ positive: [2, 1] })).headers.get('etag'), '"r1"');
  const other = await put({ negative: [1] });
  t.match(other.body.labels, [{ id: 1, label: 'negative' }]);
  t.equal(other.body.labels.length, 1);
});

t.test('more items than a session holds are refused as labels', async (t) => {
  const limited = await startTestServer(t, { collections: { small }, maxSessionItems: 5 });
  const session = await SessionClient.create(limited);
  const many = await session.call<ProblemReply>('PUT', '/labels', { positive: [1, 2, 3, 4, 5, 6] });
  t.match(many, { status: 409, body: { type: '/docs#session-full', detail: /at most 5 labelled, seen and excluded/ } });
  t.equal((await session.call('PUT', '/labels', { positive: [1, 2, 3, 4, 5] })).status, 200);
});

t.test('a sweep of nothing has no precision, and its sample is everything else', async (t) => {
  const session = await SessionClient.create(server);
  await session.call('PUT', '/labels', { positive: [1], negative: [2] });
  const order = {
    score: 1e9,
    modalities: { text: {} },
    model: { kind: 'rocchio' },
    audit: { strata: 1, per_stratum: 5 },
  };
  const { body } = await session.call<JobReply>('POST', '/sweeps', order);
  const job = await finished(body.id);
  t.match(job, { status: 'done', result: { items: 0 } });
  const audit = (await server.request<{ selected: object; rest: object }>(job.result?.audit ?? '')).body;
  t.match(audit, { selected: { items: 0 }, rest: { items }, complete: false });
  t.notOk('precision' in audit.selected);
});

t.test('the audit of a job that has not ended is told to wait', async (t) => {
  const busy = await startTestServer(t, { collections: { small }, jobsRunning: 1 });
  const session = await SessionClient.create(busy);
  await session.call('PUT', '/labels', { positive: [1], negative: [2] });
  const order = { audit: { strata: 2, per_stratum: 5 } };
  const orders = await Promise.all([1, 2, 3].map(() => session.call<JobReply>('POST', '/sweeps', order)));
  const waiting = orders.at(-1)?.body.id;
  const answer = await busy.request<ProblemReply>(`/v1/jobs/${waiting}/audit`);
  t.match(answer, { status: 409, body: { type: '/docs#job-unfinished', detail: /^the job is (queued|running); / } });
});

t.test('sessions that are kept are refused over another index, and served again over their own', async (t) => {
  const other = await buildSmallIndex(t, { items, seed: 2 });
  const sessions = join(temporaryFolder(t), 'sessions');
  const serve = (directory: string) => startTestServer(t, { collections: { small: directory }, sessions });
  const first = await serve(small);
  const { id } = await SessionClient.create(first);
  await first.close();
  const second = await serve(other);
  const refused = await new SessionClient(second, id).call<ProblemReply>('POST', '/rounds', {});
  t.match(refused, { status: 409, body: { type: '/docs#index-replaced', detail: /item numbers mean other items/ } });
  await second.close();
  const third = await serve(small);
  t.match(await new SessionClient(third, id).round({ k: 3 }), { status: 200, body: { items: { length: 3 } } });
});

t.test('a round without labels is random, in columns too', async (t) => {
  const columns = await server.suggest<RoundReply>({ k: 4, format: 'columns' }, 'msgpack');
  t.equal(columns.body.columns?.ids.length, 4);
});
