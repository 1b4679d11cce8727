// Files of actors: every form plays, and every way in which one can be wrong is told.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readActors } from '../../bench/actors/actor-file.ts';
import { type NpyType, npyHeader } from '../../index-builder/readers/npy-array.ts';
import { temporaryFolder } from '../support.ts';
import { ITEMS, jsonFile, play, RELEVANT, START, tinyActors, tinyIndex, tinyTopics } from './tiny.ts';

const start = { positives: 2, negatives: 4, count: 3 };

function npy(folder: string, name: string, type: NpyType, values: NodeJS.TypedArray): string {
  const path = join(folder, name);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  writeFileSync(path, Buffer.concat([npyHeader(type, [values.length]), bytes]));
  return path;
}

/** Classes 0 (relevant of the tiny collection), 1 (three items, too few) and 2. */
const classes = Int32Array.from({ length: ITEMS }, (_, item) => (item < RELEVANT ? 0 : item < RELEVANT + 3 ? 1 : 2));

t.test('relevant items may be listed instead of a labels file', async (t) => {
  const listed = { name: 'axis 0', relevant_items: [0, 1, 2, 3, 4, 5, 6, 7], starts: [START] };
  const index = await tinyIndex(t);
  const [byLabel, byList] = [
    await play(index, tinyActors(t)),
    await play(index, tinyActors(t, { actors: [listed], labels: undefined })),
  ];
  t.strictSame(
    byList.runs[0]?.rounds.map(({ recall }) => recall),
    byLabel.runs[0]?.rounds.map(({ recall }) => recall),
  );
});

t.test('class labels make an actor of every class that is large enough', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'label_names.txt'), 'axis\nfew\nrest\n');
  const { actors, seed } = readActors(npy(folder, 'labels.npy', 'i4', classes), ITEMS, start, 7);
  t.equal(seed, 7);
  t.strictSame(
    actors.map(({ name, relevant, starts }) => [name, relevant, starts.length]),
    [
      ['axis', RELEVANT, 3],
      ['rest', ITEMS - RELEVANT - 3, 3],
    ],
  );
  for (const { starts, isRelevant } of actors) {
    for (const { positive, negative } of starts) {
      t.ok(positive.length === 2 && positive.every(isRelevant) && new Set(positive).size === 2);
      t.ok(negative.length === 4 && !negative.some(isRelevant) && new Set(negative).size === 4);
    }
    t.equal(new Set(starts.map(({ seed }) => seed)).size, 3, 'each start has a seed of its own');
  }
  const again = readActors(join(folder, 'labels.npy'), ITEMS, start, 7);
  t.strictSame(again.actors[0]?.starts, actors[0]?.starts, 'the same seed draws the same starts');
  const other = readActors(join(folder, 'labels.npy'), ITEMS, start, 8);
  t.notSame(other.actors[0]?.starts, actors[0]?.starts);
});

t.test('several classes an item come as compressed rows or as a table', async (t) => {
  const folder = temporaryFolder(t);
  // Every item is of class 0 when below 8, and of class 1 when even.
  const members = (item: number): number[] => [...(item < RELEVANT ? [0] : []), ...(item % 2 === 0 ? [1] : [])];
  const rows = Array.from({ length: ITEMS }, (_, item) => members(item));
  let end = 0;
  const starts = Uint32Array.from([0, ...rows.map(({ length }) => (end += length))]);
  npy(folder, 'subject_indices.npy', 'u2', Uint16Array.from(rows.flat()));
  writeFileSync(join(folder, 'subject_names.txt'), 'axis\neven\n');
  const packed = readActors(npy(folder, 'subject_indptr.npy', 'u4', starts), ITEMS, start, 1);
  const table = join(folder, 'labels.csv');
  const lines = rows.flatMap((classes, item) => classes.map((number) => `${item},"${['axis', 'even'][number]}"`));
  writeFileSync(table, `item,label\n${lines.join('\n')}\n`);
  for (const { actors } of [packed, readActors(table, ITEMS, start, 1)]) {
    t.strictSame(actors.map(({ name, relevant }) => [name, relevant]).sort(), [
      ['axis', RELEVANT],
      ['even', ITEMS / 2],
    ]);
    t.ok(
      actors.every(
        ({ name, isRelevant }) => isRelevant(2) && isRelevant(301) === false && isRelevant(300) === (name === 'even'),
      ),
    );
  }
});

t.test('a file that does not fit is refused by what is wrong with it', async (t) => {
  const folder = temporaryFolder(t);
  const refuse = (file: string, message: RegExp): void => {
    t.throws(() => readActors(file, ITEMS, start, 1), { name: 'ActorError', message });
  };
  const actor = { name: 'axis 0', label: 3, relevant: RELEVANT, starts: [START] };
  const changed = (change: object): string => tinyActors(t, { actors: [{ ...actor, ...change }] });
  const started = (change: object): string => changed({ starts: [{ ...START, ...change }] });

  refuse(join(folder, 'none.json'), /none\.json: cannot be read as JSON .*ENOENT/);
  refuse(jsonFile(folder, 'other.json', { kind: 'something' }), /other\.json: .* expected actors as farsight generate/);
  refuse(tinyActors(t, { items: 5 }), /is of a collection of 5 items, this index has 600/);
  refuse(tinyActors(t, { version: 2 }), /\/version must be equal to constant/);
  refuse(tinyActors(t, { labels: 'gone.u8' }), /gone\.u8: cannot be read \(ENOENT\); it lies beside the actors/);
  refuse(changed({ label: undefined }), /axis 0 needs either a label of the labels file or relevant_items/);
  refuse(changed({ label: 4 }), /says 8 relevant items, 0 have label 4; the files do not belong together/);
  refuse(changed({ label: undefined, relevant_items: [700] }), /axis 0 has item 700, the index has 600 items/);
  refuse(started({ positive: [0, 600] }), /start 0 of axis 0: item 600, the index has 600 items/);
  refuse(started({ positive: [0, 0] }), /item 0 is there twice/);
  refuse(started({ positive: [100] }), /item 100 is positive and not relevant/);
  refuse(started({ negative: [7] }), /item 7 is negative and relevant/);
  const short = tinyActors(t);
  writeFileSync(join(short, '../city.u8'), new Uint8Array(10));
  refuse(short, /city\.u8: has 10 bytes, expected one for each of the 600 items/);

  refuse(npy(folder, 'a.npy', 'i4', new Int32Array(5)), /a\.npy: has labels of 5 items, the index has 600/);
  refuse(npy(folder, 'b.npy', 'i4', new Int32Array(ITEMS)), /none of 1 classes has 4 items and 4 others outside it/);
  refuse(npy(folder, 'c.npy', 'f4', new Float32Array(ITEMS)), /c\.npy: has dtype <f4 and 1 dimension, expected one of/);
  writeFileSync(join(folder, 'd.npy'), 'not at all an array');
  refuse(join(folder, 'd.npy'), /d\.npy: is not a \.npy file/);
  mkdirSync(join(folder, 'e'));
  npy(folder, 'e/x_indices.npy', 'u2', Uint16Array.of(1, 2, 3));
  refuse(
    npy(folder, 'e/x_indptr.npy', 'u4', new Uint32Array(ITEMS + 1)),
    /must rise from 0 to the 3 entries of .*x_indices/,
  );
  const csv = (text: string): string => {
    writeFileSync(join(folder, 'f.csv'), text);
    return join(folder, 'f.csv');
  };
  refuse(csv('item,name\n1,a\n'), /f\.csv: has no column label/);
  refuse(csv('label\na\nb\n'), /has labels of 2 items, the index has 600/);
  refuse(csv('item,label\n1,a\n600,b\n'), /row 2 names item '600', expected 0 to 599/);
});

t.test('topics play lsc, and nothing else plays it', async (t) => {
  const index = await tinyIndex(t);
  await t.rejects(play(index, tinyActors(t), { protocol: 'lsc' }), { message: /axis 0: has no target vector/ });
  await t.rejects(play(index, tinyTopics(t), { protocol: 'imagenet' }), { message: /topics are for --protocol lsc/ });
  const bad = jsonFile(temporaryFolder(t), 'topics.json', [{ topic: 1, relevant: [], target: {}, starts: [] }]);
  await t.rejects(play(index, bad, { protocol: 'lsc' }), { message: /topics\.json: .* expected topics as in lsc41k/ });
});
