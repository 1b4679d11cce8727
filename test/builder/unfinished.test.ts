// What a build that does not end leaves: what may pass another time keeps the work for --resume, what is refused does not.

import { spawnSync } from 'node:child_process';
import fs, { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { native } from '../../src/native.ts';
import { plainNode } from '../cli/program.ts';
import { build, uniformValues, writeLines, writeVectors } from './collections.ts';
import { DIMS, ITEMS, inputs, KILLED, leftovers, reset, stateOf, twoIndexes } from './two-indexes.ts';

const child = fileURLToPath(new URL('killed-build.js', import.meta.url));
const [command, nodeArgs] = plainNode;
const KEPT =
  /build again with --resume to go on from where it was, or remove .*index\.building, which is kept for that$/;

t.test('--resume without room on the disk keeps what an earlier build left', async (t) => {
  const { out, input, old, renewed } = await twoIndexes(t);
  await reset(out, true);
  spawnSync(command, [...nodeArgs, child, input, out, '60', 'anew', '1'], { stdio: 'ignore' });
  t.ok(existsSync(join(`${out}.building`, 'journal.json')));
  const options = { ...KILLED, resume: true };
  const restore = replaced(t, 'statfsSync', () => ({ bavail: 1, bsize: 4096 }));
  await t.rejects(() => build(out, inputs(input), options), {
    name: 'IndexError',
    message: /4\.0 KiB are free; free space, /,
  });
  await t.rejects(() => build(out, inputs(input), options), { message: KEPT });
  restore();
  t.equal(stateOf(t, out, old, renewed), 'old');
  await build(out, inputs(input), options);
  t.equal(stateOf(t, out, old, renewed), 'new');
  t.strictSame(leftovers(out), []);
});

t.test('a build anew without room leaves nothing', async (t) => {
  const { out, input } = await twoIndexes(t);
  replaced(t, 'statfsSync', () => ({ bavail: 1, bsize: 4096 }));
  await t.rejects(() => build(out, inputs(input)), { message: /free space, or choose an --out on another disk$/ });
  t.strictSame(leftovers(out), []);
});

t.test('the room that a dead build takes counts as free when it is not resumed', async (t) => {
  const { out, input } = await twoIndexes(t);
  const dead = join(`${out}.building`, 'a.records');
  mkdirSync(`${out}.building`);
  writeFileSync(dead, new Uint8Array(4096));
  replaced(t, 'statfsSync', () => ({ bavail: existsSync(dead) ? 0 : 2 ** 20, bsize: 4096 }));
  await build(out, inputs(input));
  t.strictSame(leftovers(out), []);
});

t.test('input that cannot be read for once, or memory that is short, keeps what was built', async (t) => {
  const { out, input, old, renewed } = await twoIndexes(t);
  const failures = {
    'cannot be read \\(EIO\\)': () => {
      const { readSync } = fs;
      let reads = 0;
      return replaced(t, 'readSync', (...args) => {
        if (++reads === 12) throw Object.assign(new Error('input/output error'), { code: 'EIO' });
        return (readSync as (...args: unknown[]) => number)(...args);
      });
    },
    'std::bad_alloc': () => {
      const { placeRecords } = native;
      Object.assign(native, {
        placeRecords: () => {
          throw new Error('std::bad_alloc');
        },
      });
      return () => void Object.assign(native, { placeRecords });
    },
  };
  for (const [what, fail] of Object.entries(failures)) {
    await reset(out, true);
    const restore = fail();
    try {
      await t.rejects(() => build(out, inputs(input), KILLED), {
        message: new RegExp(`${what}.*; ${KEPT.source}`),
        cause: { message: new RegExp(what) },
      });
    } finally {
      restore();
    }
    t.equal(stateOf(t, out, old, renewed), 'old');
    await build(out, inputs(input), { ...KILLED, resume: true });
    t.equal(stateOf(t, out, old, renewed), 'new', what);
    t.strictSame(leftovers(out), []);
  }
});

t.test('a folder that cannot be removed does not hide why the build ended', async (t) => {
  const { folder, out } = await twoIndexes(t);
  const ids = writeLines(join(folder, 'ids.txt'), ['one']);
  const vectors = writeVectors(join(folder, 'a.npy'), DIMS, uniformValues(9, DIMS * ITEMS));
  const { rmSync } = fs;
  const restore = replaced(t, 'rmSync', (path, ...rest) => {
    if (path === `${out}.building`) throw Object.assign(new Error('not permitted'), { code: 'EPERM' });
    return (rmSync as (...args: unknown[]) => void)(path, ...rest);
  });
  await t.rejects(() => build(out, { a: [vectors] }, { ids }), {
    message: /ids\.txt: 1 lines; .*; and .*index\.building: cannot be written \(EPERM\)/,
  });
  restore();
});

/** Puts a function in place of one of node:fs, until the test ends or what is returned is called. */
function replaced(
  t: Test,
  name: 'statfsSync' | 'readSync' | 'rmSync',
  by: (...args: unknown[]) => unknown,
): () => void {
  const functions = fs as unknown as Record<string, unknown>;
  const original = functions[name];
  const set = (value: unknown): void => {
    functions[name] = value;
    syncBuiltinESMExports();
  };
  set(by);
  const restore = (): void => set(original);
  t.teardown(restore);
  return restore;
}
