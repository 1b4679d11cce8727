// How the process ends when something in it was not foreseen, and where it keeps what outlives it.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bin, plainNode } from '../cli/program.ts';
import { buildSmallIndex, startTestServer, temporaryFolder } from '../support.ts';

const small = await buildSmallIndex(t, { items: 60 });
const [command, nodeArgs] = plainNode;

t.test('an error that nobody caught is logged, and ends the process after a graceful close', async (t) => {
  const sessions = join(temporaryFolder(t), 'sessions');
  const settings = { collections: { small }, port: 0, workers: 1, logLevel: 'info', sessions };
  const modules = ['server', 'config'].map((name) => `import('${new URL(`../../src/${name}.js`, import.meta.url)}')`);
  const script = `Promise.all([${modules}]).then(async ([s, c]) => {
    await s.serve(c.configOf(${JSON.stringify(settings)}));
    setTimeout(() => { throw new Error('nobody caught this'); }, 10);
  })`;
  const child = spawn(command, [...nodeArgs, '-e', script], { stdio: ['ignore', 'ignore', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  let log = '';
  child.stderr.on('data', (bytes) => {
    log += bytes;
  });
  const [code] = await once(child, 'exit');
  t.equal(code, 1);
  t.match(log, /"level":60.*nobody caught this.*"msg":"uncaught error"/);
  t.match(log, /"msg":"closing"/);
  t.strictSame(readdirSync(`${sessions}.lock`), [], 'it was a close, not a crash');
});

t.test('jobs are kept beside the sessions, where they are told, or nowhere', async (t) => {
  const folder = temporaryFolder(t);
  const at = (name: string) => join(folder, name);
  const collections = { small };
  for (const [settings, kept] of [
    [{ sessions: at('a') }, at('a.jobs')],
    [{ sessions: at('b'), jobs: at('c') }, at('c')],
    [{ jobs: at('d') }, at('d')],
  ] as const) {
    const server = await startTestServer(t, { collections, ...settings });
    t.ok(existsSync(kept), kept);
    await server.close();
  }
  t.notOk(existsSync(at('b.jobs')));
});

t.test('a command tells where it failed when that is asked for', async (t) => {
  const nowhere = join(temporaryFolder(t), 'nowhere');
  mkdirSync(nowhere);
  const run = (trace: string) => {
    const env = { ...process.env, FARSIGHT_TRACE: trace };
    return spawnSync(command, [...nodeArgs, bin, 'inspect', nowhere], { encoding: 'utf8', env });
  };
  t.match(run('1'), { status: 1, stderr: /IndexError: .*\n +at .*\n[\s\S]*farsight inspect: .*manifest\.json/ });
  t.match(run(''), { status: 1, stderr: /^farsight inspect: [^\n]*manifest\.json[^\n]*\n$/ });
});
