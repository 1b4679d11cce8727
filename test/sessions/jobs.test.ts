// Sweeps over HTTP: what is selected, in which form and order, how a job is stopped, survives its server, and is audited.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import t, { type Test } from 'tap';
import { startFarsight } from '../cli/program.ts';
import {
  buildSmallIndex,
  type ProblemReply,
  type Reply,
  startTestServer,
  type TestServer,
  temporaryFolder,
} from '../support.ts';
import { type RoundReply, SessionClient } from './client.ts';

const items = 1500;
const directory = await buildSmallIndex(t, { items, attachments: true });
const jobsDirectory = join(temporaryFolder(t), 'jobs');
const server = await startTestServer(t, { collections: { small: directory }, jobs: jobsDirectory });
const labels = { positive: [3, 14, 159], negative: [2, 71, 828, 1001] };

interface JobReply {
  readonly id: string;
  readonly status: string;
  readonly error?: string;
  readonly result?: {
    readonly items: number;
    readonly bytes: number;
    readonly threshold: number;
    readonly mean: number;
    readonly deviation: number;
    readonly scan_error: number;
    readonly audit?: string;
  };
}

interface Row {
  readonly id: number;
  readonly key?: string;
  readonly score: number;
}

interface EstimateReply {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

interface AuditReply {
  readonly selected: { readonly items: number; readonly relevant: EstimateReply; readonly precision: EstimateReply };
  readonly rest: { readonly items: number; readonly relevant: EstimateReply };
  readonly strata: readonly { readonly items: number; readonly sampled: number; readonly labelled: number }[];
  readonly complete: boolean;
  readonly to_label: readonly { readonly id: number; readonly key: string }[];
}

async function sweep(of: TestServer, session: SessionClient, order: unknown = {}): Promise<JobReply> {
  const { status, headers, body } = await session.call<JobReply>('POST', '/sweeps', order);
  if (status !== 202) throw new Error(JSON.stringify(body));
  t.equal(headers.get('location'), `/v1/jobs/${body.id}`);
  return await finished(of, body.id);
}

async function finished(of: Pick<TestServer, 'request'>, id: string): Promise<JobReply> {
  for (;;) {
    const { body } = await of.request<JobReply>(`/v1/jobs/${id}`);
    if (body.status !== 'queued' && body.status !== 'running') return body;
    await sleep(10);
  }
}

async function rowsOf(of: TestServer, { id }: JobReply): Promise<Row[]> {
  const { body } = await of.request<Buffer>(`/v1/jobs/${id}/result`);
  return `${body}`
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Row);
}

async function labelledSession(of: TestServer, settings: unknown = {}): Promise<SessionClient> {
  const session = await SessionClient.create(of, settings);
  await session.call('PUT', '/labels', labels);
  return session;
}

/** Scores of all unlabelled items by a round with the same training. */
async function everyScore(session: SessionClient): Promise<Map<number, number>> {
  const { body } = await session.round({ k: items, search: { exhaustive: true, candidates: items } });
  return new Map(body.items.map(({ id, score }) => [id, score]));
}

t.test('a sweep of one modality selects what scores above its threshold, with the scores of a round', async (t) => {
  const session = await labelledSession(server, { modalities: { visual: {} } });
  const job = await sweep(server, session, { alpha: 1 });
  const { mean = 0, deviation = 0, threshold = 0, scan_error: error = 0 } = job.result ?? {};
  t.equal(threshold, mean + deviation);
  const rows = await rowsOf(server, job);
  t.equal(rows.length, job.result?.items);
  const scores = await everyScore(session);
  const labelled = new Set([...labels.positive, ...labels.negative]);
  const expected = [...scores].filter(([, score]) => score > threshold).sort(([a, x], [b, y]) => y - x || a - b);
  const unlabelled = rows.filter(({ id }) => !labelled.has(id));
  t.strictSame(
    unlabelled.map(({ id, score }) => [id, score]),
    expected,
  );
  t.ok(rows.every(({ id, key }) => key === `photo/${id}`));
  // The mean of the scan is that of the exact scores within the scan's error.
  const own = rows.filter(({ id }) => labelled.has(id)).length;
  t.ok(own > 0, 'labelled items are among what was selected');
  const sum = [...scores.values()].reduce((total, score) => total + score, 0);
  t.ok(Math.abs(sum / scores.size - mean) < error + (7 * (deviation + Math.abs(mean))) / items);
});

t.test(
  'a count selects exactly so many of the best, in both orders, and both formats hold the same rows',
  async (t) => {
    const session = await labelledSession(server);
    const best = await rowsOf(server, await sweep(server, session, { count: 200 }));
    t.equal(best.length, 200);
    for (const [i, { score }] of best.entries()) t.ok(i === 0 || score <= (best[i - 1]?.score ?? 0), 'scores descend');
    const all = await rowsOf(server, await sweep(server, session, { count: 10 * items, order: 'item' }));
    t.strictSame(
      all.map(({ id }) => id),
      Array.from({ length: items }, (_, id) => id),
    );
    const ranked = [...all].sort((a, b) => b.score - a.score || a.id - b.id);
    t.strictSame(best, ranked.slice(0, 200));
    const job = await sweep(server, session, { count: 200, format: 'parquet' });
    const file = await asyncBufferFromFile(join(jobsDirectory, job.id, 'result.parquet'));
    t.strictSame(await parquetReadObjects({ file }), best);
    const download = await fetch(`${server.url}/v1/jobs/${job.id}/result`);
    t.equal(download.headers.get('content-type'), 'application/vnd.apache.parquet');
    t.equal((await download.arrayBuffer()).byteLength, job.result?.bytes);
    const above = await rowsOf(server, await sweep(server, session, { score: best[99]?.score }));
    t.strictSame(above, best.slice(0, 99), 'a score selects what is above it');
    t.strictSame(await rowsOf(server, await sweep(server, session, { score: 1e9 })), []);
  },
);

t.test('a range of a result is given alone', async (t) => {
  const session = await labelledSession(server);
  const { id, result } = await sweep(server, session, { count: 20 });
  const size = result?.bytes ?? 0;
  const whole = (await server.request<Buffer>(`/v1/jobs/${id}/result`)).body;
  const ranged = async (range: string) => {
    const answer = await fetch(`${server.url}/v1/jobs/${id}/result`, { headers: { range } });
    return { status: answer.status, range: answer.headers.get('content-range'), text: await answer.text() };
  };
  t.strictSame(await ranged('bytes=5-9'), {
    status: 206,
    range: `bytes 5-9/${size}`,
    text: `${whole.subarray(5, 10)}`,
  });
  t.match(await ranged(`bytes=${size - 3}-`), { status: 206, text: `${whole.subarray(-3)}` });
  t.match(await ranged('bytes=-4'), { status: 206, text: `${whole.subarray(-4)}` });
  t.match(await ranged(`bytes=${size}-`), { status: 416, range: `bytes */${size}` });
  t.match(await ranged('bytes=1-2,4-5'), { status: 200, text: `${whole}` });
});

t.test('what cannot be swept is refused, and what cannot be finished says why', async (t) => {
  const session = await labelledSession(server);
  const refused = [
    [{ alpha: 1, count: 3 }, 400],
    [{ alpha: 11 }, 400],
    [{ audit: { strata: 20, per_stratum: 1000 } }, 400],
    [{ modalities: { sound: {} } }, 422],
    [{ k: 3 }, 400],
  ] as const;
  for (const [order, status] of refused) t.equal((await session.call('POST', '/sweeps', order)).status, status);
  const empty = await SessionClient.create(server);
  t.match(await empty.call('POST', '/sweeps'), { status: 409, body: { type: '/docs#no-model' } });
  t.equal((await session.call('POST', '/sweeps', {}, { 'if-match': '"r0"' })).status, 412);
  t.match(await server.request('/v1/jobs/none'), { status: 404, body: { type: '/docs#unknown-job' } });
  const small = await startTestServer(t, { collections: { small: directory }, maxResultBytes: 1024 });
  const job = await sweep(small, await labelledSession(small), { count: items });
  t.match(job, { status: 'failed', error: /passes 1024 bytes \(max_result_bytes\); ask for fewer/ });
  const result = await small.request<ProblemReply>(`/v1/jobs/${job.id}/result`);
  t.match(result, { status: 409, body: { type: '/docs#job-unfinished' } });
});

t.test('jobs are admitted up to their limits, deleted at any time, and gone then', async (t) => {
  const limits = { jobsRunning: 1, jobsWaiting: 1, maxJobs: 100 };
  const busy = await startTestServer(t, { collections: { small: directory }, ...limits });
  const session = await labelledSession(busy);
  const orders = await Promise.all(Array.from({ length: 6 }, () => session.call<JobReply>('POST', '/sweeps')));
  t.strictSame(orders.map(({ status }) => status).sort(), [202, 202, 503, 503, 503, 503]);
  for (const { status, body } of orders) {
    if (status === 503) continue;
    const remove = () => busy.request(`/v1/jobs/${body.id}`, { method: 'DELETE' });
    t.equal((await remove()).status, 204);
    t.equal((await remove()).status, 404);
  }
  t.equal((await sweep(busy, session)).status, 'done', 'the next one runs');
});

t.test('the sample of an audit, labelled, bounds precision and what was left out', async (t) => {
  // An interval of 90 % may miss: this is not one of the seeds with which it does.
  const session = await labelledSession(server, { seed: 1 });
  const relevant = (id: number) => id % 3 === 0;
  const job = await sweep(server, session, { count: 400, audit: { strata: 3, per_stratum: 30 } });
  const selected = new Set((await rowsOf(server, job)).map(({ id }) => id));
  const read = async () => (await server.request<AuditReply>(job.result?.audit ?? '')).body;
  const before = await read();
  t.equal(before.complete, false);
  t.equal(before.to_label.length, 180);
  t.equal(
    before.strata.reduce((sum, { items }) => sum + items, 0),
    items - 7,
  );
  t.match(before.rest.relevant, { low: 0 }, 'nothing is known yet');
  const headers = { accept: 'application/msgpack' };
  for (const path of [`/v1/jobs/${job.id}`, job.result?.audit ?? '']) {
    const [plain, packed] = [await server.request(path), await server.request(path, { headers })];
    t.strictSame(packed.body, plain.body);
  }
  t.notOk(before.to_label.some(({ id }) => [3, 14, 159, 2, 71, 828, 1001].includes(id)));
  const ids = before.to_label.map(({ id }) => id);
  await session.round({
    labels: { positive: ids.filter(relevant), negative: ids.filter((id) => !relevant(id)) },
  });
  const audit = await read();
  t.equal(audit.complete, true);
  t.strictSame(audit.to_label, []);
  // Labels given before the sweep count as given, whatever this rule says of them.
  const known = new Map([
    ...labels.positive.map((id) => [id, true] as const),
    ...labels.negative.map((id) => [id, false] as const),
  ]);
  const truth = (inSelected: boolean) =>
    Array.from({ length: items }, (_, id) => id).filter(
      (id) => selected.has(id) === inSelected && (known.get(id) ?? relevant(id)),
    ).length;
  for (const [side, isSelected] of [
    [audit.selected, true],
    [audit.rest, false],
  ] as const) {
    const { low, estimate, high } = side.relevant;
    t.ok(low <= truth(isSelected) && truth(isSelected) <= high, `${low} to ${high} covers ${truth(isSelected)}`);
    t.ok(low < estimate && estimate < high && high - low < side.items / 2, 'and says something');
  }
  t.equal(audit.selected.items, 400);
  t.equal(audit.selected.precision.estimate, audit.selected.relevant.estimate / 400);
  const plain = await sweep(server, session);
  t.equal((await server.request(`/v1/jobs/${plain.id}/audit`)).status, 404);
});

t.test(
  'a job that ran or waited when its server was killed is done by the next one, with the same bytes',
  async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, 'sessions');
    const args = [
      'serve',
      '--collection',
      `small=${directory}`,
      '--port',
      '0',
      '--workers',
      '1',
      '--log-level',
      'error',
      '--sessions',
      file,
    ];
    const first = await spawn(t, args);
    const session = await request<{ id: string }>(first.url, '/v1/collections/small/sessions', { k: 3 });
    await request<RoundReply>(first.url, `/v1/sessions/${session.id}/rounds`, { labels });
    const order = { count: 300, order: 'item' };
    const ids: string[] = [];
    for (let i = 0; i < 3; i++)
      ids.push((await request<JobReply>(first.url, `/v1/sessions/${session.id}/sweeps`, order)).id);
    first.kill();
    const second = await spawn(t, args);
    const results: string[] = [];
    for (const id of ids) {
      const job = await finished(
        { request: async <Body>(path: string) => ({ body: await request<Body>(second.url, path) }) as Reply<Body> },
        id,
      );
      t.equal(job.status, 'done');
      results.push(await (await fetch(`${second.url}/v1/jobs/${id}/result`)).text());
    }
    t.equal(results[0]?.trimEnd().split('\n').length, 300);
    t.ok(results.every((text) => text === results[0]));
    for (const id of ids) t.strictSame(readdirSync(join(`${file}.jobs`, id)).sort(), ['job.json', 'result.ndjson']);
    second.kill();
  },
);

async function spawn(t: Test, args: readonly string[]): Promise<{ url: string; kill: () => void }> {
  const { child, until } = startFarsight(t, ...args);
  const [, url = ''] = /listening on (\S+)\n/.exec(await until(/listening on \S+\n/)) ?? [];
  return { url, kill: () => void child.kill('SIGKILL') };
}

async function request<Body>(url: string, path: string, body?: unknown): Promise<Body> {
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return (await (await fetch(url + path, body === undefined ? {} : post)).json()) as Body;
}
