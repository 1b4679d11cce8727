// Indexes are read into memory in the background, and /readyz says how far that is.

import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import t from 'tap';
import { createApp } from '../../src/app.ts';
import { configOf } from '../../src/config.ts';
import { Engine } from '../../src/engine.ts';
import { openIndex, type StoredGrid } from '../../src/index/open.ts';
import { searchedBytes, warm } from '../../src/index/warm.ts';
import { JobDirectory } from '../../src/jobs/job-directory.ts';
import { Jobs } from '../../src/jobs/jobs.ts';
import { native } from '../../src/native.ts';
import { Sessions } from '../../src/sessions/sessions.ts';
import { memoryStore } from '../../src/sessions/store.ts';
import { WarmUp } from '../../src/warm-up.ts';
import { build, groupedValues, roundOver, writeVectors } from '../builder/collections.ts';
import { type ProblemReply, startTestServer, temporaryFolder } from '../support.ts';

const ITEMS = 20_000;
const folder = temporaryFolder(t);
const directory = `${folder}/index`;
const vectors = writeVectors(`${folder}/visual.npy`, 256, groupedValues(1, ITEMS, 256, 200, 0.1));
await build(directory, { visual: [vectors] }, { grid: true });

const skip = !existsSync('/proc/self/smaps') && 'the system does not say what is resident';
t.test('the cells of the grid are read, and become resident only when a round asks for them', { skip }, async (t) => {
  const collection = openIndex(directory);
  for (const _ of warm(collection, false));
  t.ok(residentKib('visual.codes.0') > (ITEMS * 256) / 2048);
  t.equal(residentKib('grid.cells.0'), 0);
  const { section, cells } = collection.grid as StoredGrid;
  native.numbersAt(section, ITEMS, cells, Uint32Array.of(ITEMS - 1), new Uint32Array(1));
  t.ok(residentKib('grid.cells.0') > 0);
});

t.test('a round answers the same before, while and after an index moves onto huge pages', async (t) => {
  const collection = openIndex(directory);
  t.ok(searchedBytes(collection) > ITEMS * 256);
  const before = roundOver(directory, [1, 201], [2, 3, 4]);
  let bytes = 0;
  for (const step of warm(collection, true)) {
    bytes += step;
    t.strictSame(roundOver(directory, [1, 201], [2, 3, 4]), before);
  }
  t.equal(bytes, searchedBytes(collection));
  t.strictSame(roundOver(directory, [1, 201], [2, 3, 4]), before);
});

t.test('the warm-up reads every byte that rounds read, and reports them', async (t) => {
  const totalBytes = searchedBytes(openIndex(directory));
  for (const hugePages of [false, true]) {
    const warmUp = new WarmUp({ directories: [directory], totalBytes, hugePages, onError: (error) => t.fail(error) });
    await warmUp.ended;
    t.equal(warmUp.readBytes, totalBytes);
    t.equal(warmUp.complete, true);
  }
});

t.test('an index that cannot be read is reported, and never called warm', async (t) => {
  const errors: Error[] = [];
  const warmUp = new WarmUp({
    directories: [`${folder}/missing`],
    totalBytes: 1,
    hugePages: false,
    onError: (error) => errors.push(error),
  });
  await warmUp.ended;
  t.match(errors, [{ message: /missing/ }]);
  t.equal(warmUp.failed, true);
  t.equal(warmUp.complete, false);
});

t.test('a server that reads its indexes in the background becomes ready', async (t) => {
  const server = await startTestServer(t, { collections: { small: directory }, warmFirstBytes: 0 });
  for (let attempt = 0; ; attempt++) {
    const { status, body } = await server.request<ProblemReply>('/readyz');
    if (status === 200) break;
    t.match({ status, type: body.type }, { status: 503, type: '/docs#warming-up' });
    if (attempt > 500) t.fail('never ready');
    await sleep(10);
  }
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const bytes = searchedBytes(openIndex(directory));
  t.match(metrics, `farsight_index_bytes ${bytes}\n`);
  t.match(metrics, `farsight_index_warm_bytes ${bytes}\n`);
});

t.test('while it reads, /readyz says how far it is and rounds are answered', async (t) => {
  const collection = openIndex(directory);
  const config = configOf({ collections: { small: directory }, workers: 1, logLevel: 'silent' });
  const engine = await Engine.start({
    directories: config.collections,
    generations: { small: collection.generation },
    threads: 1,
    queueLength: 1,
    heapMb: config.workerHeapMb,
    decodedRowsBytes: config.decodedRowsBytes,
    onThreadError: (error) => t.fail(error),
  });
  t.teardown(() => engine.close());
  const warmth = { readBytes: 2 ** 30, totalBytes: 2 ** 32, complete: false, failed: false };
  const sessions = new Sessions(memoryStore, config);
  t.teardown(() => sessions.close());
  const jobs = new Jobs({
    directory: JobDirectory.temporary(),
    limits: config,
    collections: config.collections,
    onError: (error) => t.fail(String(error)),
  });
  t.teardown(() => jobs.close());
  const app = await createApp({
    collections: new Map([['small', collection]]),
    engine,
    sessions,
    jobs,
    config,
    log: pino({ level: 'silent' }),
    version: '0.0.0',
    isClosing: () => false,
    warmth,
  });
  t.teardown(() => app.close());
  const ready = await app.inject('/readyz');
  t.equal(ready.statusCode, 503);
  t.match(ready.json(), { type: '/docs#warming-up', detail: /^25 % .* 1\.00 of 4\.00 GiB; rounds are answered/ });
  Object.assign(warmth, { failed: true });
  const failed = await app.inject('/readyz');
  t.equal(failed.statusCode, 503);
  t.match(failed.json(), { detail: /^an index cannot be read past 25 % of them all; the log says which/ });
  const url = '/v1/collections/small/suggest';
  const round = await app.inject({ method: 'POST', url, payload: { labels: { positive: [1] } } });
  t.equal(round.statusCode, 200);
});

/** Of the files of that name that this process maps. */
function residentKib(name: string): number {
  let sum = 0;
  let counts = false;
  for (const line of readFileSync('/proc/self/smaps', 'utf8').split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) counts = line.endsWith(`/${name}`);
    else if (counts && line.startsWith('Rss:')) sum += Number.parseInt(line.slice(4), 10);
  }
  return sum;
}
