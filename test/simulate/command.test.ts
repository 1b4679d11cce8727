// farsight simulate as a program: what it prints and writes, and how it refuses.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { protocols } from '../../bench/actors/registry.ts';
import { systems } from '../../bench/baselines/registry.ts';
import { simulate } from '../../src/commands/simulate.ts';
import { bin, farsight, plainNode } from '../cli/program.ts';
import { temporaryFolder } from '../support.ts';
import { tinyActors, tinyIndex } from './tiny.ts';

t.test('--help names every protocol and every system', async (t) => {
  const { code, stdout } = farsight('simulate', '--help');
  t.equal(code, 0);
  for (const { name } of [...protocols, ...systems]) t.ok(stdout.includes(name), name);
});

t.test('a simulation is printed and written, and transcripts differ or not by exit code', async (t) => {
  const folder = temporaryFolder(t);
  const at = (name: string): string => join(folder, name);
  const words = [await tinyIndex(t), '--protocol', 'imagenet', '--actors', tinyActors(t), '--rounds', '3', '-k', '4'];
  const two = ['--system', 'exquisitor,clusters=1:2', '--system', 'knn-ecp'];
  const played = farsight('simulate', ...words, ...two, '--out', at('result.json'), '--save', at('a'));
  t.equal(played.code, 0, played.stderr);
  t.match(played.stdout, /imagenet on index \(600 items\), 1 actors, 1 sessions of 3 rounds, in process/);
  const result = JSON.parse(readFileSync(at('result.json'), 'utf8'));
  t.strictSame([result.starts, result.rounds], [1, 3]);
  t.match(result.revision, /^[0-9a-f]{12}\+?$/);
  t.equal(
    result.command,
    'farsight simulate index --protocol imagenet --actors actors.json --rounds 3 -k 4 --system exquisitor,clusters=1:2 ' +
      '--system knn-ecp --out result.json --save a',
    'without where files lie',
  );
  t.strictSame(
    result.runs.map(({ system, parameters }: { system: string; parameters: { clusters: number } }) => [
      system,
      parameters.clusters,
    ]),
    [
      ['exquisitor', 1],
      ['exquisitor', 2],
      ['knn-ecp', 256],
    ],
    "a list is one run each, and b is the protocol's where it is not given",
  );
  t.strictSame(readdirSync(folder).sort(), ['a', 'result.json'], 'nothing is left beside them');

  farsight('simulate', ...words, ...two, '--save', at('b'));
  const same = farsight('simulate', '--diff', at('a'), at('b'));
  t.equal(same.code, 0, same.stderr);
  t.match(same.stdout, /9 of 9 rounds identical/);
  farsight('simulate', ...words, ...two, '--seed', '1', '--save', at('c'));
  const other = farsight('simulate', '--diff', at('a'), at('c'), '--json');
  t.equal(other.code, 1);
  t.match(other.stderr, /^farsight simulate: the transcripts differ\n$/);
  t.ok(JSON.parse(other.stdout).labels_differ > 0);

  const replayed = farsight('simulate', words[0] as string, '--replay', at('a'));
  t.equal(replayed.code, 0, replayed.stderr);
  t.equal(replayed.stdout.match(/3 of 3 rounds identical/g)?.length, 3);
});

t.test('a result that cannot be written was printed', async (t) => {
  const folder = temporaryFolder(t);
  const words = [await tinyIndex(t), '--protocol', 'imagenet', '--actors', tinyActors(t), '--rounds', '3', '-k', '4'];
  const [command, nodeArgs] = plainNode;
  const args = [...nodeArgs, bin, 'simulate', ...words, '--out', join(folder, 'result.json')];
  // A kibibyte: less than the result is, and more than nothing, so that opening it passes.
  const limited = spawnSync('bash', ['-c', 'ulimit -f 1; exec "$0" "$@"', command, ...args], { encoding: 'utf8' });
  t.equal(limited.status, 1);
  t.match(limited.stdout, /imagenet on index \(600 items\), 1 actors, .*\nsystem .*\n.*\nexquisitor .*\n/);
  t.match(limited.stderr, /result\.json: cannot be written \(EFBIG\)/);
  t.strictSame(readdirSync(folder), []);
});

t.test('what is asked wrongly is bad usage', async (t) => {
  const index = await tinyIndex(t);
  const actors = tinyActors(t);
  const base = [index, '--protocol', 'imagenet', '--actors', actors];
  const refuse = async (words: readonly string[], message: RegExp): Promise<void> => {
    await t.rejects(simulate.run(words), { name: 'UsageError', message });
  };
  await refuse([index, '--actors', actors], /--protocol NAME is missing/);
  await refuse([index, '--protocol', 'imagenet'], /--actors FILE is missing/);
  await refuse([index, '--protocol', 'imagnet', '--actors', actors], /imagnet: no such name; expected imagenet, /);
  await refuse([index, '--protocol', 'imagenet,b=3', '--actors', actors], /imagenet: unknown parameter b; it has none/);
  await refuse(
    [...base, '--system', 'blackthorn,clusters=3'],
    /blackthorn: unknown parameter clusters; known are candidates/,
  );
  await refuse([...base, '--system', 'exquisitor,c=none'], /c=none: expected a number from/);
  await refuse([...base, '--system', 'exquisitor,clusters'], /'clusters' is not key=value/);
  await refuse([...base, '--system', 'exquisitor,clusters=1,clusters=2'], /clusters is given twice/);
  await refuse([...base, index], /2 DIR and 1 files; name one for each/);
  for (const name of ['hnsw', 'spread+uniform']) {
    const words = [...base, '--url', 'http://127.0.0.1:1', '--system', name];
    const served =
      ': does not play over HTTP; expected exquisitor, blackthorn, knn-ecp, spread, spread+rand, spread+grid, mix';
    await t.rejects(simulate.run(words), { name: 'UsageError', message: `${name}${served}` });
  }
  await refuse([...base, '--collection', 'x'], /--collection goes with --url/);
  await refuse(['--diff', 'a'], /--diff A B: name two transcripts/);
  await refuse([index, '--replay', 'a', '--seed', '3'], /--seed does not go with --replay/);
  const { code, stderr } = farsight('simulate', index, '--actors', actors);
  t.equal(code, 2);
  t.equal(stderr, 'farsight simulate: --protocol NAME is missing\n');
  const unwritable = farsight('simulate', ...base, '--out', join(index, 'no/such/folder.json'));
  t.equal(unwritable.code, 1);
  t.match(unwritable.stderr, /folder\.json: cannot be written \(ENOENT\)/);
});

t.test('interrupted, it writes nothing and says so', async (t) => {
  const folder = temporaryFolder(t);
  const words = [await tinyIndex(t), '--protocol', 'imagenet', '--actors', tinyActors(t), '--rounds', '5'];
  // More runs than are played in the time it takes to stop them: one session of each is a few milliseconds.
  const sweep = `exquisitor,clusters=${Array.from({ length: 250 }, (_, b) => b + 1).join(':')}`;
  const files = ['--out', join(folder, 'result.json'), '--save', join(folder, 'transcript.ndjson')];
  const [command, nodeArgs] = plainNode;
  const child = spawn(command, [...nodeArgs, bin, 'simulate', ...words, '--system', sweep, ...files]);
  t.teardown(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (bytes) => {
    stderr += bytes;
  });
  const ended = once(child, 'exit');
  while (!readdirSync(folder).some((name) => name.startsWith('transcript'))) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  child.kill('SIGINT');
  const [code] = await ended;
  t.equal(code, 1);
  t.match(stderr, /farsight simulate: interrupted; nothing was written/);
  t.strictSame(readdirSync(folder), []);
  t.notOk(existsSync(join(folder, 'result.json')));
});
