// The golden indexes of format version 2: how test/fixtures/index-v2, index-v2-rabitq and index-v2-folded were made, from
// input that a seed makes. After a build of the project, `node dist/test/index/golden-index.js NEW_FOLDER` makes them again. A
// change of its bytes is a change of the format or of the builder's results: a new version and a new fixture, or a
// changelog entry, never a silent copy over the old one.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npyHeader } from '../../index-builder/readers/npy-array.ts';
import type { Manifest } from '../../src/index/format.ts';
import { build, groupedValues, uniformValues, writeLines, writeVectors } from '../builder/collections.ts';

/** The committed indexes, as the compiled tests see them. */
export const GOLDEN_INDEX = fileURLToPath(new URL('../../../test/fixtures/index-v2', import.meta.url));
export const GOLDEN_RABITQ = fileURLToPath(new URL('../../../test/fixtures/index-v2-rabitq', import.meta.url));
export const GOLDEN_FOLDED = fileURLToPath(new URL('../../../test/fixtures/index-v2-folded', import.meta.url));

const ITEMS = 240;
const WORDS = 40;
const WORDS_PER_ITEM = 5;

/** Writes the input into an empty folder and builds folder/index from it. */
export async function buildGoldenIndex(folder: string, threads: number): Promise<Manifest> {
  mkdirSync(join(folder, 'pictures'), { recursive: true });
  writeFileSync(join(folder, 'pictures/dot.svg'), '<svg xmlns="http://www.w3.org/2000/svg"><circle r="1"/></svg>');
  writeFileSync(join(folder, 'pictures/cut.png'), Buffer.from('89504e470d0a1a0a00', 'hex'));
  const perItem = (line: (item: number) => string) => Array.from({ length: ITEMS }, (_, item) => line(item));
  return await build(
    join(folder, 'index'),
    {
      visual: [writeVectors(join(folder, 'visual.npy'), 16, groupedValues(2, ITEMS, 16, 30, 0.1)), { codec: 'sq8' }],
      words: [
        writeVectors(join(folder, 'scores.npy'), WORDS_PER_ITEM, uniformValues(3, ITEMS * WORDS_PER_ITEM)),
        { ids: writeWordIds(join(folder, 'ids.npy')), dims: `${WORDS}`, codec: 'ratio', features: '4' },
      ],
    },
    {
      seed: 20,
      clusterSize: 2,
      refine: 1,
      threads,
      ids: writeLines(
        join(folder, 'keys.txt'),
        perItem((item) => `photo/${item}`),
      ),
      metadata: writeLines(
        join(folder, 'metadata.jsonl'),
        perItem((item) => JSON.stringify({ title: `Photo ${item}`, year: 2000 + (item % 20) })),
      ),
      thumbnails: writeLines(
        join(folder, 'thumbnails.txt'),
        perItem((item) => ['pictures/dot.svg', 'pictures/cut.png', ''][item % 3] as string),
      ),
    },
  );
}

/** Writes the input into a folder and builds folder/rabitq from it: all forms of rabitq's sections. */
export async function buildGoldenRabitq(folder: string, threads: number): Promise<Manifest> {
  mkdirSync(folder, { recursive: true });
  const path = writeVectors(join(folder, 'vectors.npy'), 24, groupedValues(4, ITEMS, 24, 30, 0.1));
  return await build(
    join(folder, 'rabitq'),
    {
      scanned: [path, { codec: 'rabitq' }],
      refined: [path, { codec: 'rabitq', bits: '8', scan_bits: '1' }],
      fitted: [path, { bytes_per_item: '14' }],
    },
    { seed: 20, clusterSize: 6, refine: 1, threads },
  );
}

/** Writes the input into a folder and builds folder/folded from it: codes with their factors within. */
export async function buildGoldenFolded(folder: string, threads: number): Promise<Manifest> {
  mkdirSync(folder, { recursive: true });
  const path = writeVectors(join(folder, 'wide.npy'), 66, groupedValues(5, ITEMS, 66, 30, 0.1));
  const vectors = { vectors: [path, { bytes_per_item: '36' }] } as const;
  return await build(join(folder, 'folded'), vectors, { seed: 20, clusterSize: 6, refine: 1, threads });
}

/** Each item's words differ: steps of 7 from where its group begins, modulo the vocabulary. */
function writeWordIds(path: string): string {
  const ids = Uint16Array.from({ length: ITEMS * WORDS_PER_ITEM }, (_, i) => {
    const group = Math.floor(i / WORDS_PER_ITEM) % 12;
    return (3 * group + 7 * (i % WORDS_PER_ITEM)) % WORDS;
  });
  writeFileSync(path, Buffer.concat([npyHeader('u2', [ITEMS, WORDS_PER_ITEM]), new Uint8Array(ids.buffer)]));
  return path;
}

const [, program, folder] = process.argv;
if (program === fileURLToPath(import.meta.url) && folder !== undefined) {
  await buildGoldenIndex(folder, 1);
  await buildGoldenRabitq(folder, 1);
  await buildGoldenFolded(folder, 1);
}
