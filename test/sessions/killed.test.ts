// A server that is killed, again and again, between and during writes: nothing that was answered is lost.

import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { startFarsight } from '../cli/program.ts';
import { buildSmallIndex, temporaryFolder } from '../support.ts';

const RESTARTS = 6;
const CLIENTS = 3;
/** Changes that are answered before each kill. */
const ANSWERS = 10;

interface Known {
  readonly id: string;
  /** Of the last answered change. */
  revision: number;
  /** What the last answered change made of the labels. */
  labels: Map<number, string>;
  /** Suggested in answered rounds. */
  readonly seen: Set<number>;
  /** A change that was sent and not answered: it may have happened or not. */
  pending: number | null;
}

t.test('after every kill each session stands where its last answer said, or one change further', async (t) => {
  const folder = temporaryFolder(t);
  const directory = await buildSmallIndex(t, { items: 400 });
  const file = join(folder, 'sessions');
  const sessions: Known[] = [];
  let answered = 0;
  for (let run = 0; run <= RESTARTS; run++) {
    const { child, until } = startFarsight(
      t,
      'serve',
      '--collection',
      `small=${directory}`,
      '--port',
      '0',
      '--workers',
      '1',
      '--sessions',
      file,
      '--log-level',
      'error',
    );
    const [, url = ''] = /listening on (\S+)\n/.exec(await until(/listening on \S+\n/)) ?? [];
    for (const known of sessions) await compare(t, url, known);
    if (run === RESTARTS) {
      child.kill('SIGKILL');
      break;
    }
    const ended = once(child, 'exit');
    const clients = Array.from({ length: CLIENTS }, () => client(url, sessions, () => answered++));
    // Different moments of each run: between writes, in a write, in a sync; later on a machine with much else to do.
    await sleep(150 + 37 * run);
    while (answered < ANSWERS * (run + 1)) await sleep(1);
    child.kill('SIGKILL');
    await Promise.all([ended, ...clients]);
  }
  t.ok(answered >= ANSWERS * RESTARTS, `${answered} changes were answered`);
  t.ok(statSync(file).size > 0);
});

/** Makes a session and changes it as fast as it is answered, until the server is gone. */
async function client(url: string, sessions: Known[], onAnswer: () => void): Promise<void> {
  try {
    const made = await post(`${url}/v1/collections/small/sessions`, { k: 3 });
    const known: Known = { id: made['id'] as string, revision: 0, labels: new Map(), seen: new Set(), pending: null };
    sessions.push(known);
    for (let item = 0; item < 130; item++) {
      known.pending = item;
      const body = { labels: { positive: [item] }, search: { clusters: 2 } };
      const answer = await post(`${url}/v1/sessions/${known.id}/rounds`, body);
      for (const { id } of answer['items'] as { id: number }[]) known.seen.add(id);
      known.labels.set(item, 'positive');
      known.revision++;
      known.pending = null;
      onAnswer();
    }
  } catch (error) {
    // The connection is gone with the server; anything else is a failure.
    if (!(error instanceof TypeError)) throw error;
  }
}

async function compare(t: Test, url: string, known: Known): Promise<void> {
  const state = (await (await fetch(`${url}/v1/sessions/${known.id}`)).json()) as { revision: number; seen: number };
  const happened = state.revision - known.revision;
  t.ok(happened === 0 || (happened === 1 && known.pending !== null), `${known.revision} and ${state.revision}`);
  const answer = await fetch(`${url}/v1/sessions/${known.id}/labels`);
  const { labels } = (await answer.json()) as { labels: { id: number; label: string }[] };
  if (happened === 1 && known.pending !== null) known.labels.set(known.pending, 'positive');
  t.strictSame(new Map(labels.map(({ id, label }) => [id, label])), known.labels);
  const log = await (await fetch(`${url}/v1/sessions/${known.id}/log`)).text();
  const suggested = log
    .trim()
    .split('\n')
    .flatMap((line) => (JSON.parse(line) as { suggested?: number[] }).suggested ?? []);
  t.equal(new Set(suggested).size, suggested.length, 'nothing was suggested twice');
  for (const item of known.seen) t.ok(suggested.includes(item), `${item} is known to have been suggested`);
  known.revision = state.revision;
  known.pending = null;
}

async function post(url: string, body: unknown): Promise<Record<string, unknown>> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as Record<string, unknown>;
}
