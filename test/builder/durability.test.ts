// A build that fails leaves the old index or none, whole, and nothing beside it; what is not an index is not touched.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { verifyIndex } from '../../src/index/verify.ts';
import { native } from '../../src/native.ts';
import { bin, plainNode } from '../cli/program.ts';
import { build, uniformValues, writeLines, writeVectors } from './collections.ts';
import { interceptChanges } from './file-system.ts';
import { changesOf, DIMS, ITEMS, inputs, KILLED, leftovers, reset, stateOf, twoIndexes } from './two-indexes.ts';

for (const replaces of [true, false]) {
  const before = replaces ? 'the old index' : 'nothing';

  t.test(`when the system refuses any one change, ${before} stays or the new index stands`, async (t) => {
    const { folder, out, input, old, renewed } = await twoIndexes(t);
    const changes = await changesOf(folder, () => build(out, inputs(input), KILLED));
    await reset(out, replaces);
    for (let failing = 1; failing <= changes; failing++) {
      const code = failing % 2 === 0 ? 'EDQUOT' : 'ENOSPC';
      const restore = interceptChanges(folder, (change) => {
        if (change === failing) throw Object.assign(new Error('no room'), { code });
      });
      try {
        await t.rejects(() => build(out, inputs(input), KILLED), {
          name: 'IndexError',
          message:
            /: cannot be written \((ENOSPC: the disk is full|EDQUOT: a quota is used up), \d.* free\); (make room, or choose another|the build needs \d.* in all; make room and .* with --resume)/,
        });
      } finally {
        restore();
      }
      if (stateOf(t, out, replaces ? old : null, renewed) === 'new') await reset(out, replaces);
    }
  });
}
t.test('where two paths cannot be exchanged at once the index is replaced by renames', async (t) => {
  const { folder, out, input, old, renewed } = await twoIndexes(t);
  const { exchangePaths } = native;
  t.teardown(() => Object.assign(native, { exchangePaths }));
  Object.assign(native, { exchangePaths: () => false });
  await reset(out, true);
  t.equal(stateOf(t, out, old, renewed), 'old');
  const changes = await changesOf(folder, () => build(out, inputs(input), KILLED));
  t.equal(stateOf(t, out, old, renewed), 'new');
  await reset(out, true);
  for (let failing = changes - 4; failing <= changes; failing++) {
    const restore = interceptChanges(folder, (change) => {
      if (change === failing) throw Object.assign(new Error('input/output error'), { code: 'EIO' });
    });
    try {
      await t.rejects(() => build(out, inputs(input), KILLED), { name: 'IndexError', message: /\(EIO\)/ });
    } finally {
      restore();
    }
    stateOf(t, out, old, renewed);
    await reset(out, true);
    t.strictSame(leftovers(out), []);
  }

  mkdirSync(`${out}.building`);
  renameSync(out, join(`${out}.building`, 'replaced'));
  await t.rejects(() => build(out, { a: [join(folder, 'none.npy')] }), { name: 'InputError' });
  t.notOk(existsSync(out), 'not before a build begins');
  await t.rejects(() => build(out, inputs(input), { ids: writeLines(join(folder, 'few.txt'), ['one']) }), {
    name: 'IndexError',
  });
  t.equal(stateOf(t, out, old, renewed), 'old', 'an index that a killed build had moved aside goes back');
});

t.test('a failing build leaves the old index and no folder, however late it fails', async (t) => {
  const { folder, out, input, old, renewed } = await twoIndexes(t);
  await reset(out, true);
  const late = writeVectors(join(folder, 'late.npy'), DIMS, uniformValues(9, DIMS * ITEMS).fill(Number.NaN, -1));
  const ids = Array.from({ length: ITEMS }, (_, item) => `${item % (ITEMS - 1)}`);
  const attempts = [
    () => build(out, { a: [input], b: [late] }),
    () => build(out, { a: [input], b: [late, { codec: 'ratio' }] }),
    () => build(out, { a: [input] }, { ids: writeLines(join(folder, 'ids.txt'), ids) }),
  ];
  for (const attempt of attempts) {
    await t.rejects(attempt, { name: /^(Codec|Index)Error$/ });
    t.equal(stateOf(t, out, old, renewed), 'old');
    t.strictSame(leftovers(out), []);
  }
});

t.test('what is not an index is never replaced', async (t) => {
  const { folder, input } = await twoIndexes(t);
  const foreign = {
    'a folder of something else': { 'thesis.txt': 'ten years of work' },
    'a web page': { 'manifest.json': '{ "name": "My page", "icons": [] }', 'page.html': '<p>' },
  };
  for (const [title, files] of Object.entries(foreign)) {
    const out = join(folder, title);
    mkdirSync(out);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(out, name), text);
    await t.rejects(() => build(out, inputs(input)), {
      name: 'IndexError',
      message: /exists and is not an index; choose/,
    });
    for (const [name, text] of Object.entries(files)) t.equal(readFileSync(join(out, name), 'utf8'), text);
    t.strictSame(leftovers(out), []);
  }
  const file = writeLines(join(folder, 'file'), ['text']);
  await t.rejects(() => build(file, inputs(input)), { name: 'IndexError', message: /exists and is not an index/ });
  await t.rejects(() => build(join(file, 'index'), inputs(input)), {
    name: 'IndexError',
    message: /cannot be written \(E/,
  });
  t.equal(readFileSync(file, 'utf8'), 'text\n');
});

t.test('an empty folder, a folder yet to be made and a damaged index are places for an index', async (t) => {
  const { folder, input } = await twoIndexes(t);
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  for (const out of [empty, join(folder, 'some/way/down')]) {
    await build(out, inputs(input));
    t.strictSame(verifyIndex(out, true, () => {}).findings, []);
  }
  const text = readFileSync(join(empty, 'manifest.json'), 'utf8');
  writeFileSync(join(empty, 'manifest.json'), text.replace('"version": 2', '"version": 0').slice(0, -9));
  await build(empty, inputs(input));
  t.strictSame(verifyIndex(empty, true, () => {}).findings, []);
});

t.test('a file size limit ends a build with one line, a code, a remedy, and what --resume goes on from', async (t) => {
  const { out, input, old, renewed } = await twoIndexes(t);
  await reset(out, true);
  const command = 'ulimit -f 8; exec "$0" "$@"';
  const args = [...plainNode.flat(), bin, 'build', '--out', out, '--modality', `a=${input}`];
  const { status, stderr } = spawnSync('bash', ['-c', command, ...args], { encoding: 'utf8' });
  t.equal(status, 1);
  t.match(
    stderr,
    /index\.building\/a\.\w+: cannot be written \(EFBIG: a file size limit is reached, \d.* free\); the build needs \d.* in all; raise the limit and build again with --resume, or remove .*index\.building, which is kept for that\n$/,
  );
  t.equal(stateOf(t, out, old, renewed), 'old');
  t.strictSame(leftovers(out), ['index.building']);
  const resumed = spawnSync(args[0] as string, [...args.slice(1), '--resume'], { encoding: 'utf8' });
  t.equal(resumed.status, 0, resumed.stderr);
  t.strictSame(leftovers(out), []);
});
