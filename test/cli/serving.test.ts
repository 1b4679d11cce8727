// The commands that go on: serve and quickstart answer over HTTP and end with 0 when told to.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { GOLDEN_INDEX } from '../index/golden-index.ts';
import { temporaryFolder } from '../support.ts';
import { startFarsight } from './program.ts';

const LISTENING = /farsight is listening on (http:\/\/127\.0\.0\.1:\d+)\n/;

t.test('serve answers a round on a port of its own and ends with 0 on SIGTERM', async (t) => {
  const { child, until } = startFarsight(t, 'serve', '--collection', `golden=${GOLDEN_INDEX}`, '--port', '0');
  const url = LISTENING.exec(await until(LISTENING))?.[1];
  const answer = await fetch(`${url}/v1/collections/golden/suggest`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ labels: { positive: ['photo/5', 65], negative: [6, 7, 8, 9] }, k: 2 }),
  });
  t.equal(answer.status, 200);
  const { items } = (await answer.json()) as { items: { id: number; key: string }[] };
  t.strictSame(
    items.map(({ id, key }) => [id, key]),
    [
      [125, 'photo/125'],
      [185, 'photo/185'],
    ],
  );
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  t.strictSame(await ended, [0, null]);
});

t.test('quickstart serves its pictures, and the lines it prints work as they stand', async (t) => {
  const { child, until } = startFarsight(t, 'quickstart', '--port', '0', '--workers', '1');
  const output = await until(/thumbnail -o \S+\n/);
  t.match(output, /^indexed 1\d{3} pictures in 2 modalities\n/);
  const url = LISTENING.exec(output)?.[1] as string;
  const lines = output.split('\n').filter((line) => line.startsWith('curl '));
  t.equal(lines.length, 3);
  const folder = temporaryFolder(t);
  const [item, suggestions, picture] = lines.map((line) => answerOf(line, url, folder)) as [Sent, Sent, Sent];
  t.match(JSON.parse((await item()).toString()), { key: 'cat', metadata: { name: 'cat face' } });
  const { items } = JSON.parse((await suggestions()).toString());
  t.equal(items.length, 10);
  t.ok(
    items.slice(0, 5).some(({ key }: { key: string }) => /cat/.test(key)),
    JSON.stringify(items),
  );
  t.equal((await picture()).toString('latin1', 1, 4), 'PNG');
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  t.strictSame(await ended, [0, null]);
});

type Sent = () => Promise<Buffer>;

/** What a printed line fetches: by a shell where there is curl, else by its parts. */
function answerOf(line: string, url: string, folder: string): Sent {
  return async () => {
    const file = /-o (\S+)$/.exec(line)?.[1];
    if (spawnSync('curl', ['--version'], { stdio: 'ignore' }).status === 0) {
      const { stdout } = spawnSync('bash', ['-c', line], { cwd: folder });
      return file === undefined ? stdout : readFileSync(join(folder, file));
    }
    const [, address = '', body] = /(http\S+)(?:.* -d '(.*)')?/.exec(line) ?? [];
    if (!address.startsWith(url)) throw new Error(`${address} is not at ${url}`);
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(address, body === undefined ? {} : { method: 'POST', headers, body });
    return Buffer.from(await answer.arrayBuffer());
  };
}
