// The process: what it prints, how it ends, and why it does not start.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { configOf } from '../../src/config.ts';
import { readManifest } from '../../src/index/open.ts';
import { startServer } from '../../src/server.ts';
import { buildSmallIndex, temporaryFolder } from '../support.ts';

t.test('it prints its address, keeps going on SIGUSR2, and ends with 0 on SIGTERM', async (t) => {
  const { child, url, log } = await spawnServer(t, await buildSmallIndex(t, { items: 60 }));
  child.kill('SIGUSR2');
  const answer = await suggest(url, '{"labels":{"positive":[1],"negative":[2]}}');
  t.equal(answer.status, 200);
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  t.equal(code, 0);
  t.match(log(), /"reqId":"mine".*"msg":"request"/);
});

t.test('a file that is truncated under it ends the process: it never hangs', async (t) => {
  const directory = await buildSmallIndex(t, { items: 60 });
  const { child, url } = await spawnServer(t, directory);
  for (const { file } of readManifest(directory).sections.flatMap(({ shards }) => shards)) {
    truncateSync(join(directory, file));
  }
  const ended = once(child, 'exit');
  await suggest(url, '{"labels":{"positive":[1],"negative":[2]},"search":{"exhaustive":true}}').catch(() => undefined);
  const [, signal] = await ended;
  t.equal(signal, 'SIGBUS');
});

t.test('it does not start over a folder without an index, or on a port that is taken', async (t) => {
  const empty = configOf({ collections: { small: temporaryFolder(t) }, port: 0, logLevel: 'silent' });
  await t.rejects(startServer(empty), { name: 'IndexError' });
  const collections = { small: await buildSmallIndex(t, { items: 60 }) };
  const first = await startServer(configOf({ collections, port: 0, workers: 1, logLevel: 'silent' }));
  t.teardown(() => first.close());
  const port = Number(new URL(first.url).port);
  await t.rejects(startServer(configOf({ collections, port, workers: 1, logLevel: 'silent' })), { code: 'EADDRINUSE' });
});

/** A server in a process of its own. */
async function spawnServer(t: Test, directory: string) {
  const server = new URL('../../src/server.js', import.meta.url);
  const config = JSON.stringify({ collections: { small: directory }, port: 0, workers: 1, logLevel: 'info' });
  const modules = [server, new URL('../../src/config.js', import.meta.url)].map(({ href }) => `import('${href}')`);
  const script = `Promise.all([${modules}]).then(([s, c]) => s.serve(c.configOf(${config})))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  let log = '';
  child.stderr.on('data', (bytes) => {
    log += bytes;
  });
  const [line] = await once(child.stdout, 'data');
  t.match(String(line), /^farsight is listening on http:\/\/127\.0\.0\.1:\d+\n$/);
  return { child, url: String(line).trim().split(' ').at(-1) as string, log: () => log };
}

function suggest(url: string, body: string): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'x-request-id': 'mine' };
  return fetch(`${url}/v1/collections/small/suggest`, { method: 'POST', headers, body });
}
