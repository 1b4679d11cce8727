// The records of jobs that a server finds when it starts: finished ones, ones it cannot go on with, and damaged ones.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { ServeConfig } from '../../src/config.ts';
import type { JobRecord } from '../../src/jobs/job.ts';
import { buildSmallIndex, type ProblemReply, startTestServer, type TestServer, temporaryFolder } from '../support.ts';
import { SessionClient } from './client.ts';

const small = await buildSmallIndex(t, { items: 60 });

interface JobReply {
  readonly id: string;
  readonly status: string;
  readonly error?: string;
}

function serve(t: Test, jobs: string, settings: Partial<ServeConfig> = {}): Promise<TestServer> {
  return startTestServer(t, { collections: { small }, jobs, ...settings });
}

async function ordered(server: TestServer): Promise<JobReply> {
  const session = await SessionClient.create(server);
  await session.call('PUT', '/labels', { positive: [1], negative: [2] });
  return (await session.call<JobReply>('POST', '/sweeps', { count: 5 })).body;
}

async function ended(server: TestServer, id: string): Promise<JobReply> {
  for (;;) {
    const { body } = await server.request<JobReply>(`/v1/jobs/${id}`);
    if (body.status !== 'queued' && body.status !== 'running') return body;
    await sleep(10);
  }
}

/** A directory with one finished job, and its record. */
async function finishedJob(t: Test): Promise<{ jobs: string; record: JobRecord }> {
  const jobs = join(temporaryFolder(t), 'jobs');
  const server = await serve(t, jobs);
  const { id } = await ordered(server);
  t.equal((await ended(server, id)).status, 'done');
  await server.close();
  return { jobs, record: JSON.parse(readFileSync(join(jobs, id, 'job.json'), 'utf8')) };
}

function write(jobs: string, record: JobRecord): void {
  mkdirSync(join(jobs, record.id), { recursive: true });
  writeFileSync(join(jobs, record.id, 'job.json'), JSON.stringify(record));
}

t.test('a finished job is there after a restart, until its time is over', async (t) => {
  const { jobs, record } = await finishedJob(t);
  const again = await serve(t, jobs);
  const result = await again.request<Buffer>(`/v1/jobs/${record.id}/result`);
  t.equal(result.body.toString().trimEnd().split('\n').length, 5);
  await again.close();
  write(jobs, { ...record, endedAt: Date.now() - 3_600_000 });
  const later = await serve(t, jobs, { jobTtlS: 3000 });
  t.equal((await later.request(`/v1/jobs/${record.id}`)).status, 404);
  t.notOk(existsSync(join(jobs, record.id)));
});

t.test('jobs that ended servers, or whose collection is not served, have failed with the reason', async (t) => {
  const { jobs, record } = await finishedJob(t);
  const open = { ...record, endedAt: null, summary: null };
  const [deadly, foreign] = ['deadbeef', 'cafebabe'].map((word) => record.id.replace(/^.{8}/, word)) as [
    string,
    string,
  ];
  write(jobs, { ...open, id: deadly, status: 'running', attempts: 3 });
  write(jobs, { ...open, id: foreign, status: 'queued', collection: 'gone' });
  mkdirSync(join(jobs, 'abcdefab-0000-0000-0000-000000000000'));
  writeFileSync(join(jobs, 'mine.txt'), 'x');
  const server = await serve(t, jobs);
  t.match(await ended(server, deadly), { status: 'failed', error: 'the server ended 3 times while the job ran' });
  t.match(await ended(server, foreign), { status: 'failed', error: "there is no collection 'gone'" });
  const refused = await server.request<ProblemReply>(`/v1/jobs/${deadly}/result`);
  t.match(refused, { status: 409, body: { detail: /^the job is failed: the server ended 3 times/ } });
  t.notOk(existsSync(join(jobs, 'abcdefab-0000-0000-0000-000000000000')), 'it held no job');
  t.ok(existsSync(join(jobs, 'mine.txt')), 'what is no job is left alone');
});

t.test('a directory that cannot be used keeps the server from starting, with what to do', async (t) => {
  const { jobs, record } = await finishedJob(t);
  const refused = (path: string, message: RegExp) => t.rejects(serve(t, path), { name: 'JobDirectoryError', message });
  await refused(join(jobs, record.id, 'job.json', 'below'), /below: cannot be made \(ENOTDIR.*; choose another --jobs/);
  const lock = join(jobs, `lock-${process.ppid}-0`);
  writeFileSync(lock, '');
  await refused(jobs, new RegExp(`jobs: process ${process.ppid} serves it; end that one first`));
  rmSync(lock);
  writeFileSync(join(jobs, record.id, 'job.json'), '{"id":');
  await refused(jobs, /job\.json: cannot be read \(.*\); restore it, or remove the job's directory/);
});

t.test('an order that cannot be kept is refused, and the server goes on', async (t) => {
  const jobs = join(temporaryFolder(t), 'jobs');
  const server = await serve(t, jobs);
  rmSync(jobs, { recursive: true });
  t.match(await ordered(server), {
    status: 503,
    type: '/docs#storage-failed',
    detail: /^nothing was ordered: the job/,
  });
  mkdirSync(jobs);
  t.match(await ended(server, (await ordered(server)).id), { status: 'done' });
});
