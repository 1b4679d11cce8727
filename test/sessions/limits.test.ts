// What sessions may hold, and what a file that cannot be written costs: nothing that was answered, and no more than the
// change that was refused.

import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { encodeEvent, type RoundEvent, type SessionEvent } from '../../src/sessions/events.ts';
import { FileStore } from '../../src/sessions/file.ts';
import { frame } from '../../src/sessions/frames.ts';
import { type SessionLimits, Sessions } from '../../src/sessions/sessions.ts';
import { memoryStore } from '../../src/sessions/store.ts';
import { plainNode } from '../cli/program.ts';
import { temporaryFolder } from '../support.ts';

const limits: SessionLimits = {
  maxSessions: 10,
  maxSessionsBytes: 1e8,
  maxSessionBytes: 1e7,
  maxSessionEvents: 1000,
  sessionQueueLength: 1,
  sessionTtlS: 0,
  idempotencyKeys: 2,
};
const start = { collection: 'small', generation: 'g', settings: {} };

function labels(...positive: readonly number[]): SessionEvent {
  return { type: 'labels', at: Date.now(), positive, negative: [], removed: [] };
}

function round(key: string): RoundEvent {
  return {
    type: 'round',
    at: Date.now(),
    labels: { positive: [], negative: [], removed: [] },
    exclude: [],
    settings: {},
    resurface: false,
    seed: 1,
    suggested: [],
    complete: true,
    reply: { key, digest: 'd', answer: { key } },
  };
}

function opened(t: Test, changes: Partial<SessionLimits> = {}): Sessions {
  const sessions = new Sessions(memoryStore, { ...limits, ...changes });
  t.teardown(() => sessions.close());
  return sessions;
}

t.test('the answers of the last keys are kept, those before them are let go, and a fork has none', async (t) => {
  const sessions = opened(t);
  const session = await sessions.create(start);
  await sessions.append(session, labels(1));
  for (const key of ['a', 'b', 'c']) await sessions.append(session, round(key));
  t.equal(session.replyTo('a'), undefined);
  t.match(session.replyTo('b'), { answer: { key: 'b' } });
  t.match(session.replyTo('c'), { answer: { key: 'c' } });
  t.notOk(JSON.stringify(session.events[2]).includes('answer'), 'the event holds it no longer');
  const held = session.events.reduce((sum, event) => sum + Buffer.byteLength(encodeEvent(event)), 0);
  t.equal(session.bytes, held, 'nor do its bytes count');
  t.equal(sessions.bytes, held);
  const fork = await sessions.fork(session);
  t.equal(fork.replyTo('c'), undefined);
  t.strictSame(fork.state.labels, session.state.labels);
});

t.test('a change is refused when too many wait, and when its session went while it waited', async (t) => {
  const sessions = opened(t, { sessionQueueLength: 2 });
  const session = await sessions.create(start);
  let finish = () => {};
  const running = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const first = sessions.change(session.id, () => running);
  const second = sessions.change(session.id, (held) => sessions.remove(held));
  const third = sessions.change(session.id, async () => t.fail('it ran'));
  t.throws(() => sessions.change(session.id, async () => {}), { code: 'overloaded', message: /^3 requests for this/ });
  finish();
  await Promise.all([first, second, t.rejects(third, { code: 'unknown-session' })]);
  t.equal(sessions.bytes, 0);
});

t.test('one session and all of them hold so many bytes and no more', async (t) => {
  const many = labels(...Array.from({ length: 400 }, (_, item) => item));
  const small = opened(t, { maxSessionBytes: 1000 });
  const session = await small.create(start);
  await t.rejects(small.append(session, many), { code: 'session-full', message: /at most 1000 bytes of events/ });
  t.equal(session.events.length, 1);
  const all = opened(t, { maxSessionsBytes: 1000 });
  const first = await all.create(start);
  await t.rejects(all.append(first, many), { code: 'too-many-sessions', message: /together may hold 1000 bytes/ });
  const made: unknown[] = [first];
  await t.rejects(
    async () => {
      for (;;) made.push(await all.create(start));
    },
    { code: 'too-many-sessions', message: /delete some, or wait/ },
  );
  t.equal(all.count, made.length);
  t.ok(all.bytes <= 1000);
});

t.test('a file that cannot grow refuses changes whole, and takes them again when it can', async (t) => {
  const path = join(temporaryFolder(t), 'sessions');
  const script = fileURLToPath(new URL('full-disk.js', import.meta.url));
  const [command, nodeArgs] = plainNode;
  const run = spawnSync(command, [...nodeArgs, script, path, JSON.stringify(limits)], { encoding: 'utf8' });
  t.equal(run.status, 0, run.stderr);
  const { events, ...seen } = JSON.parse(run.stdout);
  const refused = { code: 'storage-failed', message: /^nothing was changed: .* cannot be written \(EFBIG/ };
  t.match(seen, { refused: [refused, refused], grown: 0, count: 1 }, 'what was written of a change is gone');
  t.match(events, [{ type: 'created' }, { type: 'labels', positive: [6] }]);
  const store = await FileStore.open({ path, warn: () => t.fail('the file is whole') });
  t.strictSame([...store.load().values()], [events]);
  t.throws(() => store.load(), /loaded once/);
  await store.close();
});

t.test('a folder that is gone is told of, and costs no change of a server that runs', async (t) => {
  const folder = temporaryFolder(t);
  const warnings: string[] = [];
  const store = await FileStore.open({
    path: join(folder, 'sessions'),
    warn: (_event, message) => void warnings.push(message),
  });
  const sessions = new Sessions(store, limits);
  const session = await sessions.create(start);
  rmSync(folder, { recursive: true });
  // From 1 MiB on, a file of which most is gone is written anew, beside the one that is not there.
  for (let written = 0; written < 2 ** 20; ) {
    const other = await sessions.create(start);
    await sessions.append(other, labels(...Array.from({ length: 30_000 }, (_, item) => item)));
    written += other.bytes;
    await sessions.remove(other);
  }
  t.strictSame(warnings, ['the file of sessions could not be written anew']);
  await sessions.append(session, labels(7));
  t.equal(session.events.length, 2);
  await sessions.close();
});

t.test('a whole record of another program is no file of sessions', async (t) => {
  const path = join(temporaryFolder(t), 'sessions');
  writeFileSync(path, frame(Buffer.from('{"format":"something else","version":1}')));
  await t.rejects(FileStore.open({ path, warn: () => {} }), { name: 'SessionFileError', message: /is not a file of/ });
});
