// From a file to counted words: fields, splitting, the vocabulary, the corpus on disk.

import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Corpus, CorpusWriter } from '../../index-builder/topics/corpus.ts';
import { type Document, type DocumentOptions, openDocuments } from '../../index-builder/topics/documents.ts';
import { strongest } from '../../index-builder/topics/strongest.ts';
import { parseVocabulary, WordCounter } from '../../index-builder/topics/vocabulary.ts';
import { parseStopWords, wordSplitter } from '../../index-builder/topics/words.ts';
import { ROWS, writeFormats } from '../readers/array.ts';
import { temporaryFolder } from '../support.ts';
import { corpusOf, texts } from './texts.ts';

t.test('words are lower case in one form of Unicode, cut also where a script has no spaces', async (t) => {
  const split = wordSplitter(parseStopWords('The\n# a comment\n\n  of # and this\n'));
  t.strictSame(split('The ﬁre of LONDON, 1666: a View-point'), ['fire', 'london', '1666', 'view', 'point']);
  t.strictSame(split('Don’t STRASSE cafe\u0301 CAFÉ'), ["don't", 'strasse', 'café', 'café']);
  t.strictSame(split('東京の桜 富士'), ['東京', 'の', '桜', '富士']);
  t.strictSame(split(`x ${'y'.repeat(41)} https`), ['https'], 'letters alone and addresses are no words');
  t.strictSame(split('… – !'), []);
});

t.test('the vocabulary goes from the most frequent word down, within its limits', async (t) => {
  const counter = new WordCounter();
  const all = ['a a b', 'a b c', 'a c d', 'a'];
  for (const text of all) counter.add(text.split(' '));
  const limits = { mostWords: 10, minTexts: 1, maxShare: 1 };
  t.strictSame(counter.vocabulary(limits), ['a', 'b', 'c', 'd'], 'texts count, not occurrences; ties by code units');
  t.strictSame(counter.vocabulary({ ...limits, minTexts: 2, maxShare: 0.5 }), ['b', 'c']);
  t.strictSame(counter.vocabulary({ ...limits, mostWords: 1 }), ['a']);
  t.throws(() => counter.vocabulary({ ...limits, minTexts: 5 }), {
    message: /no word is in at least 5 .* lower --min-count/,
  });
  t.throws(() => parseVocabulary('v.txt', 'a\na\n'), { message: /v\.txt: is no vocabulary/ });
});

t.test('a counter that holds few words keeps those that are frequent', async (t) => {
  const counter = new WordCounter(50);
  for (let i = 0; i < 2000; i++) counter.add(['often', i % 2 === 0 ? 'half' : 'other', `once${i}`]);
  t.strictSame(counter.vocabulary({ mostWords: 3, minTexts: 100, maxShare: 1 }), ['often', 'half', 'other']);
});

t.test('tables and JSON Lines give the same texts, with lists joined and keys beside', async (t) => {
  const folder = temporaryFolder(t);
  const options = { fields: ['title', 'tags'], key: 'id' };
  const files = {
    'a.csv': '\ufeffid,title,tags\r\n1,"A ""b"", c","x\ny"\r\n2,,z\r\n',
    'a.jsonl': '\ufeff{"id":1,"title":"A \\"b\\", c","tags":["x\\ny"]}\r\n{"id":"2","title":null,"tags":["z"]}',
  };
  const expected = [
    { text: 'A "b", c x\ny', key: '1' },
    { text: ' z', key: '2' },
  ];
  for (const [name, text] of Object.entries(files)) {
    t.strictSame(await read(folder, name, text, options), expected, name);
  }
  const tsv = 'title\ttags\n6" disc\tx\n"Open\ty\n"a ""b"" c"\t"d" "e"\n';
  t.strictSame(
    await read(folder, 'a.tsv', tsv, { fields: ['title', 'tags'] }),
    ['6" disc x', '"Open y', 'a "b" c "d" "e"'].map((text) => ({ text, key: null })),
    'quotation marks are text, but around and doubled within a whole cell',
  );
});

t.test('Parquet and Arrow give the texts of their columns', async (t) => {
  const folder = temporaryFolder(t);
  writeFormats(folder);
  for (const name of ['snappy.parquet', 'zstd.arrow']) {
    const all = await documentsOf({ path: join(folder, name), fields: ['city', 'tags', 'absent'], key: 'key' });
    t.equal(all.length, ROWS);
    t.strictSame(all[2], { text: 'Oslo t0 t1', key: 'item 2 é' }, name);
    t.strictSame(all[21], { text: 'Århus ', key: 'item 21 é' }, 'no tags');
  }
});

t.test('how far a file is read is told, up to its end', async (t) => {
  const folder = temporaryFolder(t);
  writeFormats(folder);
  writeFileSync(join(folder, 'a.csv'), `title\n${'some words\n'.repeat(200_000)}`);
  for (const [name, field] of [
    ['a.csv', 'title'],
    ['one.jsonl', 'tags'],
    ['snappy.parquet', 'city'],
    ['zstd.arrow', 'city'],
  ] as const) {
    const path = join(folder, name);
    const documents = await openDocuments({ path, fields: [field] });
    const heard: number[] = [];
    for await (const _ of documents.all((done, total) => {
      t.equal(total, statSync(path).size);
      heard.push(done);
    })) {
      // Only how far it is counts here.
    }
    documents.close();
    const last = heard.at(-1) ?? 0;
    t.strictSame(
      heard,
      heard.toSorted((a, b) => a - b),
      `${name}: never back`,
    );
    t.ok(last > 0.5 * statSync(path).size && last <= statSync(path).size, `${name}: ${last}`);
  }
});

t.test('a file that cannot be read as texts says which line, and what to do', async (t) => {
  const folder = temporaryFolder(t);
  const options = { fields: ['title'] };
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['a.csv', 'name,x\n1,2\n', /a\.csv: has none of the fields title; it has name, x; choose with --fields/],
    ['a.csv', 'title,x\n1\n', /a\.csv line 2: is not CSV/],
    ['a.tsv', 'title\tx\n1\n', /a\.tsv line 2: is not TSV \(1 cells\); expected .* first, 2,/],
    ['a.jsonl', '{"title":"a"}\n{"title":\n', /a\.jsonl line 2: not JSON/],
    ['a.jsonl', '{"title":"a"}\n[1]\n', /a\.jsonl line 2: is not an object/],
    ['a.jsonl', '{"title":"a"}\n\n{"title":"b"}\n', /a\.jsonl line 2: not JSON/],
    ['a.jsonl', '{"title":"a"}\n{"name":"a"}\n', /a\.jsonl line 2: has none of the fields title; it has name/],
    ['a.jsonl', '{"title":{"en":"a"}}\n', /a\.jsonl line 1: has an object in the field title; expected text/],
    ['a.jsonl', '{"title":true}\n', /a\.jsonl line 1: has a boolean in the field title; expected text/],
    ['a.bin', '\0\u0001', /a\.bin: starts with 0001; expected Parquet, Arrow/],
  ];
  for (const [name, text, message] of cases) {
    await t.rejects(read(folder, name, text, options), { name: 'InputError', message }, message.source);
  }
  const keyed = { ...options, key: 'id' };
  await t.rejects(read(folder, 'k.jsonl', '{"title":"a"}\n', keyed), {
    message: /line 1: has no key in the field id; expected text of one line; choose another --key/,
  });
  await t.rejects(read(folder, 'k.csv', 'title\na\n', keyed), {
    message: /k\.csv: has no column 'id'; expected one of title; correct --key/,
  });
  await t.rejects(openDocuments({ ...options, path: join(folder, 'absent.csv') }), { message: /does not exist/ });
});

t.test('a corpus gives back the counted words of any texts, in the order they were written', async (t) => {
  const path = join(temporaryFolder(t), 'corpus');
  const writer = new CorpusWriter(path, ['a', 'b', 'c']);
  for (const text of ['c a c', 'unknown', 'b', 'a b c']) writer.add(text.split(' '));
  const corpus = new Corpus(path, writer.end());
  t.teardown(() => corpus.close());
  t.equal(corpus.texts, 4);
  t.strictSame(
    corpus.read([
      { first: 2, count: 2 },
      { first: 0, count: 2 },
    ]),
    {
      starts: Uint32Array.of(0, 1, 4, 6, 6),
      words: Uint32Array.of(1, 0, 1, 2, 2, 0),
      counts: Float32Array.of(1, 1, 1, 1, 2, 1),
    },
  );
  t.strictSame(corpus.read([{ first: 0, count: 4 }], (text) => text !== 2).words, Uint32Array.of(1));
});

t.test('a corpus of more texts than one write holds is whole', async (t) => {
  const all = texts(40_000);
  const { corpus, vocabulary } = corpusOf(join(temporaryFolder(t), 'corpus'), all);
  t.teardown(() => corpus.close());
  for (const text of [0, 19_999, 26_000, 39_999]) {
    const { words, counts } = corpus.read([{ first: text, count: 1 }]);
    const spelled = Array.from(words, (word, i) => Array(counts[i]).fill(vocabulary[word])).flat();
    t.strictSame(spelled.sort(), [...(all[text] as readonly string[])].sort());
  }
});

t.test('the strongest of each row come in order, and nothing stands for zero', async (t) => {
  const rows = Float32Array.of(0.1, 0.5, 0.1, 0.3, 0, 0, 0.2, 0);
  t.strictSame(strongest(rows, 4, 3), {
    scores: Float32Array.of(0.5, 0.3, 0.1, 0.2, 0, 0),
    ids: Uint16Array.of(1, 3, 0, 2, 0, 0),
  });
});

async function read(
  folder: string,
  name: string,
  text: string,
  options: Omit<DocumentOptions, 'path'>,
): Promise<Document[]> {
  const path = join(folder, name);
  writeFileSync(path, text);
  return documentsOf({ ...options, path });
}

async function documentsOf(options: DocumentOptions): Promise<Document[]> {
  const documents = await openDocuments(options);
  const all: Document[] = [];
  for await (const document of documents.all(() => {})) all.push(document);
  documents.close();
  return all;
}
