// The same request over the same index gives the same bytes: at any number of threads, on any instruction set.

import { spawnSync } from 'node:child_process';
import t from 'tap';
import { native } from '../../src/native.ts';
import { seededRandom } from '../../src/random.ts';
import { round } from '../../src/round.ts';
import { randomLabels, requestOf, roundsAsText, twoModalities } from '../data.ts';

const ISAS = ['scalar', 'avx2', 'avx512', 'neon'];

const collection = await twoModalities(t, 3000);
const { directory } = collection;

t.test('one, two and three threads', async (t) => {
  const one = roundsAsText(directory, 1);
  t.equal(roundsAsText(directory, 1), one, 'again');
  for (const workers of [2, 3, 16]) t.equal(roundsAsText(directory, workers), one, `w = ${workers}`);
});

t.test('every instruction set this machine has', async (t) => {
  const here = roundsAsText(directory, 1);
  const ran = ISAS.filter((isa) => {
    const text = roundsOn(isa);
    if (text === null) return false;
    t.equal(text, here, isa);
    return true;
  });
  t.ok(ran.includes('scalar'));
  t.ok(ran.includes(native.isa()));
  t.comment(`ran on ${ran.join(', ')}`);
});

t.test('the seed decides what is drawn', async (t) => {
  const labels = randomLabels(seededRandom(1, 'labels'), 3000, 4, 0);
  const ask = (seed: number) => round(collection, requestOf(collection, { ...labels, seed, exhaustive: true }));
  t.strictSame(ask(5), ask(5));
  t.notSame(ask(5).scores, ask(6).scores, 'other pseudo-negatives, another model');
});

/** The rounds of a process pinned to an instruction set, or null where this machine lacks it. */
function roundsOn(isa: string): string | null {
  const module = new URL('../data.js', import.meta.url).href;
  const script = `import { roundsAsText } from ${JSON.stringify(module)};
    process.stdout.write(roundsAsText(${JSON.stringify(directory)}, 1));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, KERNELS_ISA: isa },
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (status === 0) return stdout;
  if (/cannot run here/.test(stderr)) return null;
  throw new Error(`${isa}: ${stderr}`);
}
