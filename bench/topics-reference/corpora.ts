// Texts that the topics bench learns from: real ones of the shared data folder, or texts drawn from known topics.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { delimitedRows } from '../../index-builder/readers/delimited-rows.ts';
import { openNpyArray } from '../../index-builder/readers/npy-array.ts';
import { wordSplitter } from '../../index-builder/topics/words.ts';
import { seededRandom } from '../../src/random.ts';
import { dataFolder } from '../datasets/collections.ts';

export interface TextCorpus {
  readonly name: string;
  readonly texts: readonly (readonly string[])[];
}

/** Real texts where they are, else drawn ones. */
export function textCorpora(): readonly TextCorpus[] {
  const real = [tate(), caltech()].filter((corpus) => corpus !== null);
  return real.length > 0 ? real : [drawnTexts(20_000, 2000, 20, 1)];
}

/** Artworks: artist, kind and the names of their subjects (the data holds no titles). */
function tate(): TextCorpus | null {
  const file = (name: string): string => join(dataFolder() ?? '', 'tate', name);
  if (!existsSync(file('metadata.csv'))) return null;
  const [columns = [], ...rows] = Array.from(delimitedRows(file('metadata.csv')), ({ cells }) => cells);
  const [artist, kind] = [columns.indexOf('artist'), columns.indexOf('class')];
  const names = readFileSync(file('subject_names.txt'), 'utf8').trimEnd().split('\n');
  const starts = plainArray(file('subject_indptr.npy'), (bytes) => new Uint32Array(bytes));
  const subjects = plainArray(file('subject_indices.npy'), (bytes) => new Uint16Array(bytes));
  const split = wordSplitter(new Set());
  const texts = rows.map((row, item) => {
    const own = Array.from(subjects.subarray(starts[item], starts[item + 1]), (subject) => names[subject]);
    return split([row[artist], row[kind], ...own].join(' '));
  });
  return { name: 'tate artist, class, subjects', texts };
}

/** Photographs: the names of their ten strongest concepts, as tags. */
function caltech(): TextCorpus | null {
  const file = (name: string): string => join(dataFolder() ?? '', 'caltech97', name);
  if (!existsSync(file('concept_ids.npy'))) return null;
  const names = readFileSync(file('concept_names.txt'), 'utf8').trimEnd().split('\n');
  const ids = openNpyArray(file('concept_ids.npy'), ['u2']);
  const all = ids.read(0, ids.rows, ids.allocate(ids.rows)) as Uint16Array;
  const { rows, columns } = ids;
  ids.close();
  const split = wordSplitter(new Set());
  const texts = Array.from({ length: rows }, (_, row) => {
    const own = Array.from(all.subarray(row * columns, row * columns + TAGS), (concept) => names[concept]);
    return split(own.join(' '));
  });
  return { name: 'caltech97 concept names', texts };
}

const TAGS = 10;

/** Texts of two topics each; a topic has its own fifth of the words more often. */
export function drawnTexts(count: number, words: number, topics: number, seed: number): TextCorpus {
  const random = seededRandom(seed, 'texts');
  const own = Math.floor(words / topics);
  const texts = Array.from({ length: count }, () => {
    const pair = [random.below(topics), random.below(topics)] as const;
    return Array.from({ length: 8 + random.below(9) }, () => {
      if (random.below(10) === 0) return `w${random.below(words)}`;
      // The smaller of two draws makes some words of a topic more frequent than others.
      return `w${(pair[random.below(2)] as number) * own + Math.min(random.below(own), random.below(own))}`;
    });
  });
  return { name: `drawn texts, ${topics} topics`, texts };
}

/** The elements of a .npy file of one dimension. */
function plainArray<Elements>(path: string, of: (bytes: ArrayBuffer) => Elements): Elements {
  const bytes = readFileSync(path);
  const data = bytes.subarray(10 + bytes.readUInt16LE(8));
  return of(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
}
