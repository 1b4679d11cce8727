// Transcripts: replayed, compared, and over HTTP the same as in process.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { diffTranscripts } from '../../bench/actors/comparison.ts';
import { type Opponents, runReplay } from '../../bench/actors/run.ts';
import { startTestServer, temporaryFolder } from '../support.ts';
import { play, tinyActors, tinyIndex, tinyTopics } from './tiny.ts';

/** A transcript of one run over the tiny index. */
async function saved(t: Test, index: string, system: string): Promise<string> {
  const save = join(temporaryFolder(t), 'transcript.ndjson');
  await play(index, tinyActors(t), { save, systems: [system] });
  return save;
}

function against(directory: string, ...systems: string[]): Opponents {
  const signal = new AbortController().signal;
  return { directories: [directory], systems, url: null, collection: null, signal, onProgress: () => {} };
}

t.test('a replay with the same systems suggests the same', async (t) => {
  const index = await tinyIndex(t);
  const transcript = await saved(t, index, 'knn-ecp,clusters=3,negative_weight=0.25');
  const result = await runReplay(against(index), transcript);
  t.equal(result.same_generation, true);
  const [run] = result.runs;
  t.equal(run?.system, 'knn-ecp');
  t.equal(run?.parameters['negative_weight'], 0.25, 'the parameters of the transcript');
  t.match(run, { pairs: 3, identical: 3, overlap: 1, first: null });
});

t.test('a replay tells by round where another system differs', async (t) => {
  const index = await tinyIndex(t);
  const transcript = await saved(t, index, 'blackthorn');
  const result = await runReplay(against(index, 'knn-ecp', 'blackthorn'), transcript);
  const [other, same] = result.runs;
  t.equal(same?.identical, 3);
  t.ok((other?.identical as number) < 3, 'SVM and Rocchio rank the irrelevant rest differently');
  t.strictSame(
    other?.rounds.map(({ round }) => round),
    [1, 2, 3],
  );
  const differing = other?.rounds.find(({ identical }) => identical === 0);
  t.ok((differing?.first_difference?.min as number) >= 1);
  t.ok((differing?.overlap.mean as number) <= 1);
});

t.test('transcripts are compared round by round', async (t) => {
  const folder = temporaryFolder(t);
  const head = {
    kind: 'farsight-transcript',
    version: 1,
    protocol: 'imagenet',
    parameters: {},
    k: 4,
    rounds: 2,
    seed: 0,
  };
  const header = {
    ...head,
    collections: [{ generation: 'g', items: 100 }],
    actors: ['actors.json'],
    runs: [{ system: 'exquisitor', parameters: {} }],
  };
  const line = (round: number, negative: number[], suggested: number[], start = 0) => ({
    run: 0,
    collection: 0,
    actor: 'a',
    start,
    round,
    seed: 1,
    labels: 'added',
    positive: round === 1 ? [1] : [],
    negative,
    suggested,
  });
  const write = (name: string, ...lines: object[]): string => {
    const path = join(folder, name);
    writeFileSync(path, [header, ...lines].map((content) => `${JSON.stringify(content)}\n`).join(''));
    return path;
  };
  const a = write('a', line(1, [2], [10, 11, 12, 13]), line(2, [3], [20, 21, 22, 23]), line(1, [2], [5], 1));
  const b = write('b', line(1, [2], [10, 11, 12, 13]), line(2, [4], [20, 22, 21, 30]), line(1, [2], [5], 2));
  const difference = await diffTranscripts(a, b);
  t.match(difference, { pairs: 2, identical: 1, overlap: (1 + 3 / 4) / 2, labels_differ: 1 });
  t.match(difference, { only_in_a: 1, only_in_b: 1 });
  t.match(difference.first, { actor: 'a', start: 0, round: 2, rank: 2 });
  t.strictSame(difference.rounds[1], {
    round: 2,
    pairs: 1,
    identical: 0,
    overlap: { mean: 3 / 4, min: 3 / 4 },
    first_difference: { min: 2, median: 2 },
  });
  t.match(await diffTranscripts(a, a), { pairs: 3, identical: 3, labels_differ: 0, only_in_a: 0, only_in_b: 0 });
});

t.test('a transcript that is cut or edited badly is refused with its line', async (t) => {
  const index = await tinyIndex(t);
  const path = await saved(t, index, 'exquisitor');
  const lines = readFileSync(path, 'utf8').split('\n');
  const refuse = async (content: string, message: RegExp): Promise<void> => {
    writeFileSync(path, content);
    await t.rejects(runReplay(against(index), path), { message });
  };
  await refuse('', /is empty; expected a transcript/);
  await refuse('{"kind":"farsight-simulation"}\n', /is no transcript of farsight simulate --save/);
  await refuse(`${lines.join('\n').slice(0, -30)}`, /transcript\.ndjson:4: .*is the file cut\?/);
  await refuse([lines[0], lines[2]].join('\n'), /:2: round 2 of axis 0 does not follow its round 1/);
  await refuse([lines[0], lines[1]?.replace('[0,1]', '[0,600]')].join('\n'), /:2: item 600, the collection has 600/);
  await refuse([lines[0], lines[1]?.replace('"run":0', '"run":3')].join('\n'), /:2: run 3 .* is not in line 1/);
});

t.test('over HTTP every system suggests what it suggests in process', async (t) => {
  const index = await tinyIndex(t);
  const server = await startTestServer(t, { collections: { tiny: index } });
  const folder = temporaryFolder(t);
  const systems = [
    ...['exquisitor,clusters=2,c=1,loss=hinge', 'blackthorn', 'knn-ecp', 'spread,from=latest,count=1'],
    ...['spread+rand,share=0.25,alpha=1,diversity=0.999', 'spread+grid,components=2,segments=4,zeta=0.5'],
    'mix,farthest=2,spread=1,random=1,alpha=1,model=rocchio,diversity=0.999',
  ];
  for (const [protocol, actors] of [
    ['imagenet', tinyActors(t)],
    ['lsc', tinyTopics(t)],
  ] as const) {
    const [here, there] = [join(folder, `${protocol}-here`), join(folder, `${protocol}-there`)];
    await play(index, actors, { protocol, systems, save: here });
    const result = await play(index, actors, { protocol, systems, save: there, url: server.url });
    t.equal(readFileSync(there, 'utf8'), readFileSync(here, 'utf8'), protocol);
    t.equal(result.over, 'http');
    t.ok((result.runs[0]?.rss_bytes as number) > 1e7, "the server's memory, from its metrics");
  }
});

t.test('a server with another index, or none, is refused', async (t) => {
  const index = await tinyIndex(t);
  const server = await startTestServer(t, { collections: { tiny: index } });
  const actors = tinyActors(t);
  const ask = (directory: string, url: string, collection: string | null) =>
    play(directory, actors, { url, collection });
  await t.rejects(ask(index, server.url, 'huge'), { message: /answered 404, .*huge/ });
  await t.rejects(ask(await tinyIndex(t, 2), server.url, 'tiny'), {
    message: /serves generation .* serve the index that DIR/,
  });
  await t.rejects(ask(await tinyIndex(t, 2), server.url, null), {
    message: /no collection is generation .*, as .* is, but tiny \([0-9a-f]{16}\); serve the index that DIR names/,
  });
  t.equal((await ask(index, server.url, 'tiny')).over, 'http', 'a name is taken as well');
  await t.rejects(ask(index, 'ftp://x', 'tiny'), { name: 'ParameterError', message: /--url ftp:\/\/x: expected http/ });
  const hnsw = play(index, actors, { url: server.url, collection: 'tiny', systems: ['hnsw'] });
  await t.rejects(hnsw, { name: 'ParameterError', message: /hnsw: does not play over HTTP; expected exquisitor, / });
  await server.close();
  await t.rejects(ask(index, server.url, 'tiny'), { message: /cannot be asked .* is farsight serve running there/ });
});
