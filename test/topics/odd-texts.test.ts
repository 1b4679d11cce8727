// Texts and models that are not as farsight topics would have them, and what it says of results without a measure.

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { npyHeader } from '../../index-builder/readers/npy-array.ts';
import { openDocuments } from '../../index-builder/topics/documents.ts';
import { topics } from '../../src/commands/topics.ts';
import { farsight } from '../cli/program.ts';
import { collect } from '../readers/collect.ts';
import { temporaryFolder } from '../support.ts';
import { TOPICS, texts, writeJsonLines } from './texts.ts';

const folder = temporaryFolder(t);
const file = writeJsonLines(join(folder, 'texts.jsonl'), texts(300));
const model = join(folder, 'model');
const learning = ['--topics', `${TOPICS}`, '--passes', '1', '--batch', '64'];
const learned = farsight('topics', file, '--out', model, ...learning, '--held-out', '0');

t.test('without texts held out there is no perplexity, and it says so', async (t) => {
  t.equal(learned.code, 0, learned.stderr);
  t.match(learned.stdout, /model: 300 texts, 99 words, 5 topics, in /, 'every text has a word that is known');
  t.match(learned.stdout, /perplexity not measured: no text was held out, or none has two known words\n/);
});

t.test('fields may be chosen anew for texts under topics that are there', async (t) => {
  const out = join(folder, 'titles');
  const run = farsight('topics', file, '--out', out, '--model', model, '--fields', 'title', '--json');
  t.match(JSON.parse(run.stdout), { texts: 300, topics: TOPICS });
  t.notSame(readFileSync(join(out, 'topic_scores.npy')), readFileSync(join(model, 'topic_scores.npy')));
});

const refused: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [['--fields', ','], /--fields is empty: name fields like title,tags/],
  [['--held-out', 'some'], /--held-out some: expected a number from 0 to 0\.9/],
  [['--alpha', '1e'], /--alpha 1e: expected a number from 0\.0001 to 100/],
];

for (const [args, message] of refused) {
  t.test(`bad usage: ${args.join(' ')}`, async (t) => {
    await t.rejects(topics.run([file, '--out', join(folder, 'out'), ...args]), { name: 'UsageError', message });
  });
}

t.test('a model whose parts do not belong together is refused by the part', async (t) => {
  const counts = (values: Float32Array, rows: number) =>
    Buffer.concat([npyHeader('f4', [rows, values.length / rows]), new Uint8Array(values.buffer)]);
  const damages: readonly [file: string, bytes: Buffer, message: RegExp][] = [
    ['topics.json', Buffer.from('{"kind":"other"}'), /topics\.json: is no record of topics; name a folder that/],
    [
      'word_topics.npy',
      counts(new Float32Array(98 * TOPICS).fill(1), 98),
      /holds 98 x 5 counts; expected 99 words x 5 topics: learn the topics again/,
    ],
    [
      'word_topics.npy',
      counts(new Float32Array(99 * TOPICS), 99),
      /holds counts that are not above 0; learn the topics again/,
    ],
  ];
  for (const [name, bytes, message] of damages) {
    const damaged = join(folder, 'damaged');
    cpSync(model, damaged, { recursive: true, force: true });
    writeFileSync(join(damaged, name), bytes);
    await t.rejects(topics.run([file, '--out', join(folder, 'out'), '--model', damaged]), {
      name: 'TopicError',
      message,
    });
  }
});

t.test('numbers and lists of them are texts too, truth values and objects are not', async (t) => {
  const read = async (text: string) => {
    const path = join(folder, 'n.jsonl');
    writeFileSync(path, text);
    const documents = await openDocuments({ path, fields: ['title'] });
    try {
      return await collect(documents.all(() => {}));
    } finally {
      documents.close();
    }
  };
  t.strictSame(await read('{"title":[7,"a",null]}\n'), [{ text: '7 a ', key: null }]);
  await t.rejects(read('{"title":true}\n'), {
    name: 'InputError',
    message: /has a boolean in the field title; expected/,
  });
  await t.rejects(read('{"title":[{"en":"a"}]}\n'), {
    name: 'InputError',
    message: /has an object in the field title/,
  });
});
