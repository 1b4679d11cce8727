// The file of sessions: what is kept, what a cut-off end costs, what damage is refused, and how large it may grow.

import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { SessionEvent } from '../../src/sessions/events.ts';
import { FileStore } from '../../src/sessions/file.ts';
import { frame, readFrames } from '../../src/sessions/frames.ts';
import { Sessions } from '../../src/sessions/sessions.ts';
import { temporaryFolder } from '../support.ts';

const created: SessionEvent = {
  type: 'created',
  at: 1,
  collection: 'small',
  generation: 'g',
  settings: {},
  secret: '00',
};

function labels(item: number): SessionEvent {
  return { type: 'labels', at: item, positive: [item], negative: [], removed: [] };
}

const warnings: Record<string, unknown>[] = [];
const warn = (event: Readonly<Record<string, unknown>>) => void warnings.push({ ...event });

function pathIn(t: Test): string {
  return join(temporaryFolder(t), 'sessions');
}

async function contents(path: string): Promise<ReadonlyMap<string, readonly SessionEvent[]>> {
  const store = await FileStore.open({ path, warn });
  const loaded = store.load();
  await store.close();
  return loaded;
}

/** A file with the sessions a, of three events in three writes, and b, which is gone. */
async function smallFile(path: string): Promise<readonly number[]> {
  const store = await FileStore.open({ path, warn });
  store.load();
  const ends = [statSync(path).size];
  for (const entry of [
    { session: 'a', event: created },
    { session: 'b', event: created },
    { session: 'a', event: labels(1) },
    { session: 'b', event: null },
    { session: 'a', event: labels(2) },
  ]) {
    await store.append([entry]);
    ends.push(statSync(path).size);
  }
  await store.close();
  return ends;
}

t.test('what was appended is loaded again, in its order, without the sessions that are gone', async (t) => {
  const path = pathIn(t);
  await smallFile(path);
  t.strictSame([...(await contents(path))], [['a', [created, labels(1), labels(2)]]]);
  t.equal(warnings.length, 0);
});

t.test(
  'at whatever byte the file is cut, the whole writes before it are loaded and the rest goes with a warning',
  async (t) => {
    const path = pathIn(t);
    const ends = await smallFile(path);
    const bytes = readFileSync(path);
    const [header = 0] = ends;
    for (let cut = header; cut < bytes.length; cut++) {
      writeFileSync(path, bytes.subarray(0, cut));
      const whole = ends.findLast((end) => end <= cut) ?? 0;
      const events = (await contents(path)).get('a') ?? [];
      const expected = [created, labels(1), labels(2)].slice(
        0,
        ends[5] === whole ? 3 : ends.indexOf(whole) >= 3 ? 2 : ends.indexOf(whole) >= 1 ? 1 : 0,
      );
      t.strictSame(events, expected, `cut at ${cut}`);
      t.equal(statSync(path).size, whole, 'the end is cut off for good');
      t.strictSame(warnings.splice(0), cut === whole ? [] : [{ path, bytes: cut - whole, at: whole }]);
    }
  },
);

t.test('a last write that is torn in itself is cut off as one that is short', async (t) => {
  const path = pathIn(t);
  const ends = await smallFile(path);
  const bytes = readFileSync(path);
  bytes.fill(0, (ends[4] as number) + 20, (ends[4] as number) + 40);
  writeFileSync(path, bytes);
  t.strictSame([...(await contents(path)).values()], [[created, labels(1)]]);
  t.strictSame(warnings.splice(0), [{ path, bytes: bytes.length - (ends[4] as number), at: ends[4] }]);
});

t.test('a bit that flips before the last write is never taken for a cut: the file is refused, by byte', async (t) => {
  const path = pathIn(t);
  const ends = await smallFile(path);
  const bytes = readFileSync(path);
  const starts = [0, ...ends.slice(0, -2)];
  for (let at = 0; at < (ends.at(-2) as number); at++) {
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
    writeFileSync(path, flipped);
    const record = starts.findLast((start) => start <= at);
    await t.rejects(contents(path), {
      name: 'SessionFileError',
      message: `the record at byte ${record} is damaged and others follow it; restore`,
    });
  }
  t.ok(readFileSync(path).length === bytes.length, 'and left as it is');
});

t.test('a file of something else, of another version, or of a living server is refused', async (t) => {
  const path = pathIn(t);
  writeFileSync(path, 'something else');
  await t.rejects(contents(path), { name: 'SessionFileError', message: 'is not a file of sessions' });
  writeFileSync(path, frame(Buffer.from('{"format":"farsight sessions","version":2}')));
  await t.rejects(contents(path), { message: 'has version 2, this program reads 1' });
  await t.rejects(FileStore.open({ path: join(path, 'below'), warn }), { message: 'choose another --sessions' });
  truncateSync(path, 0);
  await t.rejects(contents(path), { message: 'is not a file of sessions' });
  writeFileSync(join(`${path}.lock`, `lock-${process.ppid}-0`), '');
  await t.rejects(contents(path), { message: `process ${process.ppid} serves it` });
});

t.test('sessions that come and go leave a file of bounded size', async (t) => {
  const path = pathIn(t);
  const store = await FileStore.open({ path, warn });
  const limits = {
    maxSessions: 10,
    maxSessionsBytes: 1e8,
    maxSessionBytes: 1e7,
    maxSessionEvents: 1000,
    sessionQueueLength: 1,
    sessionTtlS: 0,
    idempotencyKeys: 1,
  };
  const sessions = new Sessions(store, limits);
  const start = { collection: 'small', generation: 'g', settings: {} };
  const kept = await sessions.create(start);
  await sessions.append(kept, labels(7));
  const many = Array.from({ length: 4000 }, (_, item) => item);
  let written = 0;
  for (let i = 0; i < 300; i++) {
    const session = await sessions.create(start);
    const event: SessionEvent = { type: 'labels', at: Date.now(), positive: many, negative: [], removed: [] };
    await sessions.append(session, event);
    written += session.bytes;
    await sessions.change(session.id, (held) => sessions.remove(held));
  }
  await sessions.close();
  // Looked at from 1 MiB on, the file is written anew as soon as half of it is gone.
  t.ok(written > 5 * 2 ** 20);
  t.ok(statSync(path).size < 2 ** 20 + 2 * 20_000, `${statSync(path).size} bytes of ${written} written`);
  t.notOk(existsSync(`${path}.compacting`));
  t.equal(readFrames(readFileSync(path)).damaged, false);
  const loaded = await contents(path);
  t.strictSame([...loaded.keys()], [kept.id]);
  t.strictSame(loaded.get(kept.id), kept.events);
});

t.test('a session that was not changed for its time is gone, in memory and in the file', async (t) => {
  const path = pathIn(t);
  await smallFile(path);
  const limits = {
    maxSessions: 10,
    maxSessionsBytes: 1e8,
    maxSessionBytes: 1e7,
    maxSessionEvents: 1000,
    sessionQueueLength: 1,
    sessionTtlS: 3600,
    idempotencyKeys: 1,
  };
  const sessions = new Sessions(await FileStore.open({ path, warn }), limits);
  t.equal(sessions.count, 0, 'its last change was in 1970');
  const fresh = await sessions.create({ collection: 'small', generation: 'g', settings: {} });
  sessions.expire(Date.now() + 3_000_000);
  t.equal(sessions.get(fresh.id), fresh);
  sessions.expire(Date.now() + 3_700_000);
  t.throws(() => sessions.get(fresh.id), { code: 'unknown-session' });
  t.equal(sessions.bytes, 0);
  await sessions.close();
  t.equal((await contents(path)).size, 0);
});
