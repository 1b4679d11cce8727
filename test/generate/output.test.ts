// A generated collection is put in place whole or not at all, and replaces nothing but another one.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { OutputFolder } from '../../index-builder/generate/output.ts';
import { runThreads } from '../../index-builder/generate/threads.ts';
import { generateYfcc } from '../../index-builder/generate/yfcc.ts';
import { native } from '../../src/native.ts';
import { bin, farsight, plainNode } from '../cli/program.ts';
import { temporaryFolder } from '../support.ts';

const SMALL = ['generate', 'yfcc', '--items', '20000'];
/** Large enough to be at work for seconds. */
const LONG = ['generate', 'yfcc', '--items', '20000000'];
const [command, nodeArgs] = plainNode;

t.test('a generated collection is replaced, and an empty folder filled', async (t) => {
  const out = join(temporaryFolder(t), 'out');
  mkdirSync(out);
  t.match(farsight(...SMALL, '--out', out, '--seed', '1'), { code: 0, stdout: /20000 items, seed 1/ });
  const first = readFileSync(join(out, 'city.u8'));
  t.match(farsight(...SMALL, '--out', out, '--seed', '2', '--threads', '1'), { code: 0 });
  t.notOk(first.equals(readFileSync(join(out, 'city.u8'))));
  t.strictSame(readdirSync(join(out, '..')), ['out']);
});

t.test('what is no generated collection is refused and stays', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'file');
  writeFileSync(file, 'text');
  const photos = join(folder, 'photos');
  mkdirSync(photos);
  writeFileSync(join(photos, 'actors.json'), '{"kind":"film"}');
  for (const out of [file, photos]) {
    t.match(farsight(...SMALL, '--out', out), {
      code: 1,
      stderr: /^farsight generate: .*: exists and is no generated collection; choose another --out or remove it\n$/,
    });
  }
  t.match(farsight(...SMALL, '--out', join(file, 'below')), { code: 1, stderr: /cannot be written \(E\w+\)/ });
  t.equal(readFileSync(file, 'utf8'), 'text');
  t.equal(readFileSync(join(photos, 'actors.json'), 'utf8'), '{"kind":"film"}');
  t.strictSame(readdirSync(folder).sort(), ['file', 'photos']);
});

t.test('a disk without room is refused before anything is written', async (t) => {
  const folder = temporaryFolder(t);
  t.throws(() => new OutputFolder(join(folder, 'deeper', 'out'), Number.MAX_SAFE_INTEGER), {
    name: 'GenerateError',
    message: /deeper\/out: the collection takes 8192.0 TiB, but its disk has \d.* free; make room, .* fewer --items$/,
  });
  t.strictSame(readdirSync(folder), []);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`${signal} ends it with one line and leaves nothing`, async (t) => {
    const folder = temporaryFolder(t);
    const { child, errors, ended } = start(join(folder, 'out'));
    await untilWriting(folder);
    child.kill(signal);
    t.strictSame(await ended, [1, null]);
    t.match(errors(), new RegExp(`farsight generate: interrupted by ${signal}; nothing was left behind\n$`));
    t.strictSame(readdirSync(folder), []);
  });
}

t.test('killed, it leaves no collection, and the next run clears away what it left', async (t) => {
  const folder = temporaryFolder(t);
  const out = join(folder, 'out');
  const { child, ended } = start(out);
  await untilWriting(folder);
  child.kill('SIGKILL');
  t.strictSame(await ended, [null, 'SIGKILL']);
  t.notOk(existsSync(out));
  t.strictSame(readdirSync(folder), ['out.generating']);
  t.equal(farsight(...SMALL, '--out', out).code, 0);
  t.strictSame(readdirSync(folder), ['out']);
});

t.test('a process that lives keeps its work folder to itself', async (t) => {
  const folder = temporaryFolder(t);
  const out = join(folder, 'out');
  const output = new OutputFolder(out, 0);
  t.match(farsight(...SMALL, '--out', out), {
    code: 1,
    stderr: new RegExp(`out\\.generating: process ${process.pid} is at work on it; wait until it ends`),
  });
  output.abandon();
  t.equal(farsight(...SMALL, '--out', out).code, 0);
});

t.test('where two paths cannot be exchanged the old collection steps aside, and comes back when it must', async (t) => {
  const folder = temporaryFolder(t);
  const out = join(folder, 'out');
  const make = (label: string): OutputFolder => {
    const output = new OutputFolder(out, 0);
    output.text('actors.json', '{"kind":"farsight-actors"}');
    output.text('label', label);
    return output;
  };
  make('old').commit();
  const { exchangePaths } = native;
  t.teardown(() => Object.assign(native, { exchangePaths }));
  Object.assign(native, { exchangePaths: () => false });
  const failing = make('new');
  rmSync(failing.path, { recursive: true });
  mkdirSync(join(folder, 'out.generating', 'replaced'));
  writeFileSync(join(folder, 'out.generating', 'replaced', 'in the way'), '');
  t.throws(() => failing.commit(), { name: 'IndexError', message: /cannot be written \(E/ });
  failing.abandon();
  t.equal(readFileSync(join(out, 'label'), 'utf8'), 'old');
  make('new').commit();
  t.equal(readFileSync(join(out, 'label'), 'utf8'), 'new');
  // Killed between the two renames.
  mkdirSync(`${out}.generating`);
  renameSync(out, join(`${out}.generating`, 'replaced'));
  new OutputFolder(out, 0).abandon();
  t.equal(readFileSync(join(out, 'label'), 'utf8'), 'new');
  t.strictSame(readdirSync(folder), ['out']);
});

t.test('a refused write ends it with the file and a remedy, and leaves nothing', async (t) => {
  const folder = temporaryFolder(t);
  const args = [...nodeArgs, bin, ...SMALL, '--out', join(folder, 'out')];
  const { status, stderr } = spawnSync('bash', ['-c', 'ulimit -f 8; exec "$0" "$@"', command, ...args], {
    encoding: 'utf8',
  });
  t.equal(status, 1);
  t.match(
    stderr,
    /^farsight generate: .*init\.u64: cannot be written \(EFBIG: a file size limit is reached, \d.* free\); the collection takes \d.* in all; raise the limit, .*\n$/,
  );
  t.strictSame(readdirSync(folder), []);
});

t.test('a thread that fails stops the others, and its reason is the reason', async (t) => {
  const nowhere = join(temporaryFolder(t), 'nowhere');
  const job = { kind: 'write', folder: nowhere, items: 200_000, seed: 1, frequent: {} } as const;
  const { signal } = new AbortController();
  await t.rejects(
    runThreads(job, 2, signal, () => {}),
    {
      name: 'GenerateError',
      message: /nowhere\/visual\/init\.u64: cannot be written \(ENOENT\)/,
    },
  );
});

t.test('an abort between the stages leaves nothing', async (t) => {
  const folder = temporaryFolder(t);
  const controller = new AbortController();
  const options = { out: join(folder, 'out'), items: 200_000, seed: 1, threads: 1, signal: controller.signal };
  const reason = new Error('enough');
  await t.rejects(
    generateYfcc(options, (stage) => {
      if (stage === 'measure') controller.abort(reason);
    }),
    reason,
  );
  t.strictSame(readdirSync(folder), []);
});

function start(out: string) {
  const child = spawn(command, [...nodeArgs, bin, ...LONG, '--out', out], { stdio: ['ignore', 'ignore', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  let text = '';
  child.stderr.on('data', (bytes) => {
    text += bytes;
  });
  return { child, errors: () => text, ended: once(child, 'close') };
}

/** Until threads have written into the folder that is being made. */
async function untilWriting(folder: string): Promise<void> {
  for (let wait = 0; wait < 1000; wait++) {
    const [building] = readdirSync(folder);
    const cities = building === undefined ? '' : join(folder, building, 'collection', 'city.u8');
    if (
      existsSync(cities) &&
      readFileSync(cities)
        .subarray(0, 2 ** 16)
        .some((city) => city > 0)
    )
      return;
    await sleep(20);
  }
  throw new Error('nothing was written within 20 seconds');
}
