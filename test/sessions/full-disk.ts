// A process of its own for limits.test.ts: it keeps sessions in a file while the system refuses larger files, as on a disk
// that is full, and then no longer. Prints what it saw as JSON.

import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { FileStore } from '../../src/sessions/file.ts';
import { type SessionLimits, Sessions } from '../../src/sessions/sessions.ts';

const [path = '', limits = ''] = process.argv.slice(2);
const sessions = new Sessions(await FileStore.open({ path, warn: () => {} }), JSON.parse(limits) as SessionLimits);
const start = { collection: 'small', generation: 'g', settings: {} };
const session = await sessions.create(start);
const append = (item: number): Promise<void> =>
  sessions.append(session, { type: 'labels', at: item, positive: [item], negative: [], removed: [] });
const before = statSync(path).size;
// The refusal comes with a signal, which would end a process that does not listen.
process.on('SIGXFSZ', () => {});
// Some of the next write fits.
limitFiles(`${before + 20}`);
const refused = [await refusal(append(5)), await refusal(sessions.create(start))];
const after = statSync(path).size;
limitFiles('unlimited');
await append(6);
process.stdout.write(JSON.stringify({ refused, grown: after - before, count: sessions.count, events: session.events }));
await sessions.close();

async function refusal(step: Promise<unknown>): Promise<unknown> {
  try {
    await step;
    return null;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { code, message };
  }
}

/** Of this process, by util-linux: Node has no call for it. */
function limitFiles(bytes: string): void {
  const run = spawnSync('prlimit', ['--pid', `${process.pid}`, `--fsize=${bytes}:`], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`prlimit of util-linux: ${run.error?.message ?? run.stderr}`);
}
