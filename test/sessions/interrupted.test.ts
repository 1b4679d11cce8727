// Jobs that are interrupted, by a server that dies or closes or by being cancelled: they go on from their last durable
// part, and what they write in the end has the bytes that a job without an interruption writes.

import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { startFarsight } from '../cli/program.ts';
import { buildSmallIndex, temporaryFolder } from '../support.ts';

const items = 1500;
const directory = await buildSmallIndex(t, { items, attachments: true });
const labels = { positive: [3, 14, 159], negative: [2, 71, 828, 1001] };
/** Rows of the results that are interrupted. */
const rows = 400;
/** Every row is a part, so that there is time to interrupt between two. */
const rowByRow = ['--job-part-rows', '1'];
/** What is in the directory of a job when nothing is left to do. */
const settled = (format: string) => ['job.json', `result.${format}`];

interface JobReply {
  readonly id: string;
  readonly status: string;
  readonly error?: string;
  readonly progress?: { readonly stage: string; readonly done: number };
  readonly result?: { readonly resumed_rows: number; readonly items: number };
}

/** A server in a process of its own, and the one session it is asked about. */
class Served {
  readonly #url: string;
  readonly #child: ReturnType<typeof startFarsight>['child'];
  readonly #jobs: string;

  private constructor(url: string, child: ReturnType<typeof startFarsight>['child'], jobs: string) {
    this.#url = url;
    this.#child = child;
    this.#jobs = jobs;
  }

  static async start(t: Test, folder: string, ...flags: readonly string[]): Promise<Served> {
    const sessions = join(folder, 'sessions');
    const { child, until } = startFarsight(
      t,
      ...['serve', '--collection', `small=${directory}`, '--port', '0', '--workers', '1', '--log-level', 'error'],
      ...['--sessions', sessions, ...flags],
    );
    const [, url = ''] = /listening on (\S+)\n/.exec(await until(/listening on \S+\n/)) ?? [];
    return new Served(url, child, `${sessions}.jobs`);
  }

  async ask<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const content =
      body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    return (await (await fetch(this.#url + path, { method, ...content })).json()) as Body;
  }

  async session(): Promise<string> {
    const { id } = await this.ask<{ id: string }>('POST', '/v1/collections/small/sessions', {});
    await this.ask('PUT', `/v1/sessions/${id}/labels`, labels);
    return id;
  }

  order(session: string, order: unknown): Promise<JobReply> {
    return this.ask('POST', `/v1/sessions/${session}/sweeps`, order);
  }

  async ended(id: string): Promise<JobReply> {
    for (;;) {
      const job = await this.ask<JobReply>('GET', `/v1/jobs/${id}`);
      if (job.status !== 'queued' && job.status !== 'running') return job;
      await sleep(5);
    }
  }

  async result(id: string): Promise<Buffer> {
    return Buffer.from(await (await fetch(`${this.#url}/v1/jobs/${id}/result`)).arrayBuffer());
  }

  /** The directory of a job. */
  place(id: string): string {
    return join(this.#jobs, id);
  }

  /** Resolves as soon as so many parts of a result are durable. */
  async parts(id: string, wanted: number): Promise<void> {
    const journal = join(this.place(id), 'parts');
    const found = () => (existsSync(journal) ? readFileSync(journal, 'latin1').split('\n').length - 1 : 0);
    while (found() < wanted) await sleep(1);
  }

  /** Resolves when the process is gone. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill(signal);
    await gone;
  }
}

for (const format of ['ndjson', 'parquet']) {
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    t.test(`a server that ends by ${signal} in the middle of a ${format} result goes on behind it`, async (t) => {
      const folder = temporaryFolder(t);
      const first = await Served.start(t, folder, ...rowByRow);
      const session = await first.session();
      const order = { count: rows, format, audit: {} };
      const { id } = await first.order(session, order);
      await first.parts(id, 5);
      await first.end(signal);
      const place = first.place(id);
      t.notOk(existsSync(join(place, `result.${format}`)), 'the result was not whole yet');
      const durable = readFileSync(join(place, 'parts'), 'latin1').split('\n').length - 1;
      // What a machine that fails may leave behind what was synced.
      appendFileSync(join(place, `result.${format}.part`), '{"id":77,"sco');
      appendFileSync(join(place, 'parts'), 'AAAA');
      const second = await Served.start(t, folder, ...rowByRow);
      const job = await second.ended(id);
      t.match(job, { status: 'done', result: { items: rows } });
      t.equal(job.result?.resumed_rows, durable, 'no durable row is written again');
      t.strictSame(readdirSync(place).sort(), settled(format));
      const whole = await second.ended((await second.order(session, order)).id);
      t.equal(whole.result?.resumed_rows, 0);
      t.ok((await second.result(id)).equals(await second.result(whole.id)));
      const audits = await Promise.all([id, whole.id].map((of) => second.ask<object>('GET', `/v1/jobs/${of}/audit`)));
      t.strictSame({ ...audits[0], job: '' }, { ...audits[1], job: '' }, 'the sample is the same too');
      await second.end('SIGTERM');
    });
  }
}

t.test('a cancelled job keeps what it has, gives nothing, and goes on when it is asked to', async (t) => {
  const server = await Served.start(t, temporaryFolder(t), ...rowByRow, '--jobs-waiting', '1');
  const session = await server.session();
  const order = { count: rows, order: 'item' };
  const { id } = await server.order(session, order);
  const waiting = await server.order(session, { count: 5 });
  t.equal((await server.ask<JobReply>('POST', `/v1/jobs/${waiting.id}/cancel`)).status, 'cancelled', 'one that waits');
  await server.parts(id, 5);
  t.equal((await server.ask<JobReply>('POST', `/v1/jobs/${id}/cancel`)).status, 'cancelled', 'one that runs');
  t.equal((await server.ask<JobReply>('POST', `/v1/jobs/${id}/cancel`)).status, 'cancelled', 'and once more');
  t.match(await server.ask('GET', `/v1/jobs/${id}/result`), { status: 409, type: '/docs#job-unfinished' });
  t.match(await server.ask('GET', `/v1/jobs/${id}/audit`), { status: 409 });
  for (const job of [id, waiting.id]) {
    t.match((await server.ask<JobReply>('POST', `/v1/jobs/${job}/resume`)).status, /queued|running/);
  }
  const [resumed, other] = [await server.ended(id), await server.ended(waiting.id)];
  t.match([resumed.status, other.status], ['done', 'done']);
  t.ok((resumed.result?.resumed_rows ?? 0) >= 5);
  t.equal((await server.ask<JobReply>('POST', `/v1/jobs/${id}/resume`)).status, 'done', 'what is done stays so');
  t.equal((await server.ask<JobReply>('POST', `/v1/jobs/${id}/cancel`)).status, 'done');
  const whole = await server.ended((await server.order(session, order)).id);
  t.ok((await server.result(id)).equals(await server.result(whole.id)));
  for (const action of ['cancel', 'resume']) {
    t.match(await server.ask('POST', `/v1/jobs/none/${action}`), { status: 404, type: '/docs#unknown-job' });
  }
  await server.end('SIGTERM');
});

t.test('parts that are not what was written are named, and a job that fails for good keeps none', async (t) => {
  const folder = temporaryFolder(t);
  const server = await Served.start(t, folder, ...rowByRow, '--max-result-bytes', '20000');
  const session = await server.session();
  const cancelled = async () => {
    const { id } = await server.order(session, { count: rows });
    await server.parts(id, 5);
    await server.ask('POST', `/v1/jobs/${id}/cancel`);
    return id;
  };
  const [short, other] = [await cancelled(), await cancelled()];
  truncateSync(join(server.place(short), 'result.ndjson.part'), 3);
  const swept = join(server.place(other), 'swept.rows');
  writeFileSync(swept, readFileSync(swept).fill(1, 40, 41));
  for (const [id, error] of [
    [short, /result\.ndjson\.part: shorter than the \d+ bytes .*; delete the job and order it again/],
    [other, /swept\.rows: is not what was written \(CRC-32C .*; delete the job and order it again/],
  ] as const) {
    await server.ask('POST', `/v1/jobs/${id}/resume`);
    t.match(await server.ended(id), { status: 'failed', error });
  }
  const { id } = await server.order(session, { count: items });
  t.match(await server.ended(id), { status: 'failed', error: /passes 20000 bytes \(max_result_bytes\)/ });
  t.strictSame(readdirSync(server.place(id)), ['job.json']);
  await server.end('SIGTERM');
});
