// A build that is killed at any step and resumed, however often, ends with the bytes of one that was not.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { seededRandom } from '../../src/random.ts';
import { plainNode } from '../cli/program.ts';
import { build, uniformValues, writeVectors } from './collections.ts';
import { changesOf, DIMS, filesOf, ITEMS, inputs, KILLED, leftovers, reset, twoIndexes } from './two-indexes.ts';

const child = fileURLToPath(new URL('killed-build.js', import.meta.url));
const [command, nodeArgs] = plainNode;

for (const threads of [1, 2]) {
  t.test(`killed at seeded steps and resumed, a build with ${threads} threads gives the same bytes`, async (t) => {
    const { folder, out, input } = await twoIndexes(t);
    await reset(out, false);
    const changes = await changesOf(folder, () => build(out, inputs(input), KILLED));
    const expected = filesOf(out);
    const run = (killAt: number, how: 'anew' | 'resume') =>
      spawnSync(command, [...nodeArgs, child, input, out, `${killAt}`, how, `${threads}`], { stdio: 'ignore' });
    const random = seededRandom(threads, 'killed and resumed');
    const kills = [changes, changes - 2, ...Array.from({ length: 4 }, () => 3 + random.below(changes - 3))];
    for (const killAt of kills) {
      await reset(out, random.below(2) === 0);
      t.equal(run(killAt, 'anew').signal, 'SIGKILL', `before change ${killAt} of ${changes}`);
      // Killed again on the way, if it gets that far.
      run(1 + random.below(60), 'resume');
      t.equal(run(0, 'resume').status, 0);
      t.strictSame(filesOf(out), expected, `killed before change ${killAt}`);
      t.strictSame(leftovers(out), []);
    }
  });
}

t.test('a resumed build does not repeat what is finished', async (t) => {
  const { folder, out, input } = await twoIndexes(t);
  await reset(out, false);
  const changes = await changesOf(folder, () => build(out, inputs(input), KILLED));
  await reset(out, false);
  const late = changes - 12;
  spawnSync(command, [...nodeArgs, child, input, out, `${late}`, 'anew', '1'], { stdio: 'ignore' });
  t.ok(existsSync(join(`${out}.building`, 'journal.json')));
  const rest = await changesOf(folder, () => build(out, inputs(input), { ...KILLED, resume: true }));
  t.ok(rest < changes / 2, `${rest} changes instead of ${changes}`);
});

t.test('what was another build is not resumed, and the difference is named', async (t) => {
  const { folder, out, input } = await twoIndexes(t);
  const abandon = async () => {
    await reset(out, false);
    spawnSync(command, [...nodeArgs, child, input, out, '60', 'anew', '1'], { stdio: 'ignore' });
    t.ok(existsSync(join(`${out}.building`, 'journal.json')));
  };
  const options = { ...KILLED, resume: true };
  const expected = (what: RegExp) => ({ name: 'IndexError', message: what });
  await abandon();
  await t.rejects(
    () => build(out, inputs(input), { ...options, seed: 9 }),
    expected(/cannot resume, --seed was 1 and is 9; give the same options and inputs, or build anew without --resume/),
  );
  await t.rejects(() => build(out, inputs(input), { ...options, refine: 2 }), expected(/--refine was 3 and is 2/));
  await t.rejects(
    () => build(out, { a: inputs(input)['a'] as never }, options),
    expected(/--modality b was .* and is absent/),
  );
  writeVectors(join(folder, 'new.npy'), DIMS, uniformValues(2, DIMS * (ITEMS + 1)));
  await t.rejects(
    () => build(out, inputs(input), options),
    expected(/new\.npy was 48128 bytes of .* and is 48160 bytes of/),
  );
  // Without --resume it is cleared away.
  await build(out, inputs(input), KILLED);
  t.strictSame(leftovers(out), []);
});

t.test('a process that lives keeps its work directory to itself', async (t) => {
  const { out, input } = await twoIndexes(t);
  await reset(out, false);
  const directory = `${out}.building`;
  mkdirSync(directory);
  const stat = readFileSync(`/proc/${process.ppid}/stat`, 'latin1');
  const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  const lock = join(directory, `lock-${process.ppid}-${start}`);
  writeFileSync(lock, '');
  for (const resume of [false, true]) {
    await t.rejects(() => build(out, inputs(input), { resume }), {
      name: 'IndexError',
      message: new RegExp(`index\\.building: process ${process.ppid} is at work on it; wait until it ends`),
    });
  }
  t.ok(existsSync(lock), 'and what is in it is left alone');
  t.strictSame(readdirSync(directory), [`lock-${process.ppid}-${start}`]);
});

t.test('the number of a dead process that another one was given later locks nothing', async (t) => {
  const { out, input } = await twoIndexes(t);
  mkdirSync(`${out}.building`);
  writeFileSync(join(`${out}.building`, `lock-${process.ppid}-1`), '');
  writeFileSync(join(`${out}.building`, `lock-${2 ** 22 + 1}-5`), '');
  await build(out, inputs(input));
  t.strictSame(leftovers(out), []);
});

t.test('the index does not depend on the memory it was built in', async (t) => {
  const { folder, out, input } = await twoIndexes(t);
  await build(out, inputs(input), { ...KILLED, memoryBytes: 450 * 2 ** 20 });
  const expected = filesOf(out);
  await build(join(folder, 'other'), inputs(input), { ...KILLED, checkpointRows: 64, threads: 3 });
  t.strictSame(filesOf(join(folder, 'other')), expected);
  await t.rejects(() => build(out, inputs(input), { memoryBytes: 2 ** 20 }), {
    name: 'IndexError',
    message: /modality a: 1500 items need at least 38\d\.\d MiB of memory and --memory is 1\.0 MiB; give more/,
  });
});
