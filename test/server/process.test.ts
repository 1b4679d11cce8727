// The process: what it prints, how it ends, and why it does not start.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { configOf } from '../../src/config.ts';
import { startServer } from '../../src/server.ts';
import { buildSmallIndex, temporaryFolder } from '../support.ts';

t.test('it prints its address, keeps going on SIGUSR2, and ends with 0 on SIGTERM', async (t) => {
  const collections = { small: buildSmallIndex(t, { items: 60 }) };
  const server = new URL('../../src/server.js', import.meta.url);
  const config = JSON.stringify({ collections, port: 0, workers: 1, logLevel: 'info' });
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
  const url = String(line).trim().split(' ').at(-1);
  child.kill('SIGUSR2');
  const answer = await fetch(`${url}/v1/collections/small/suggest`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': 'mine' },
    body: '{"labels":{"positive":[1],"negative":[2]}}',
  });
  t.equal(answer.status, 200);
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  t.equal(code, 0);
  t.match(log, /"reqId":"mine".*"msg":"request"/);
});

t.test('it does not start over a folder without an index, or on a port that is taken', async (t) => {
  const empty = configOf({ collections: { small: temporaryFolder(t) }, port: 0, logLevel: 'silent' });
  await t.rejects(startServer(empty), { name: 'IndexError' });
  const collections = { small: buildSmallIndex(t, { items: 60 }) };
  const first = await startServer(configOf({ collections, port: 0, workers: 1, logLevel: 'silent' }));
  t.teardown(() => first.close());
  const port = Number(new URL(first.url).port);
  await t.rejects(startServer(configOf({ collections, port, workers: 1, logLevel: 'silent' })), { code: 'EADDRINUSE' });
});
