// The quickstart collection: one picture per emoji (emoji-datasource-twitter), described by looks and by words. Nothing
// but the npm registry is needed; about two seconds of work.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ModalitySpec } from '../modality-spec.ts';
import { type NpyType, npyHeader } from '../readers/npy-array.ts';
import { decodePicture } from './picture.ts';
import { centreToUnitLength, describePicture, VISUAL_DIMS } from './visual.ts';
import { wordFeatures } from './words.ts';

/** One line for README: what is shown, by whom, under which licence. */
export const ATTRIBUTION =
  'Quickstart pictures: [Twemoji](https://github.com/jdecked/twemoji), copyright Twitter, Inc and other contributors, ' +
  '[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/), through ' +
  '[emoji-datasource-twitter](https://github.com/iamcal/emoji-data) (names and groups: MIT, copyright Cal Henderson).';

/** What a build takes, and how many items it will have. */
export interface QuickstartFiles {
  readonly items: number;
  /** visual (dense .npy) and text (sparse pair of .npy). */
  readonly modalities: readonly ModalitySpec[];
  /** JSON Lines in item order: { name, group, subgroup, characters, file, added_in }. */
  readonly metadata: string;
  /** One key a line in item order: the emoji's short name. */
  readonly ids: string;
  /** One PNG file a line in item order, relative to this file. */
  readonly thumbnails: string;
  /** The words that the ids of the text modality stand for, one a line. */
  readonly vocabulary: string;
}

/** Writes the collection to a folder, made when missing. `onProgress` hears items done and in all. */
export function prepareQuickstart(
  outDir: string,
  onProgress: (done: number, total: number) => void = () => {},
): QuickstartFiles {
  mkdirSync(join(outDir, 'pictures'), { recursive: true });
  const source = dirname(createRequire(import.meta.url).resolve('emoji-datasource-twitter/emoji.json'));
  const emoji = readEmoji(join(source, 'emoji.json'));
  const visual = new Float32Array(emoji.length * VISUAL_DIMS);
  for (const [item, { image }] of emoji.entries()) {
    const picture = readFileSync(join(source, 'img', 'twitter', '64', image));
    writeFileSync(join(outDir, 'pictures', image), picture);
    describePicture(decodePicture(picture), visual.subarray(item * VISUAL_DIMS, (item + 1) * VISUAL_DIMS));
    if ((item + 1) % PROGRESS_ITEMS === 0) onProgress(item + 1, emoji.length);
  }
  centreToUnitLength(visual, VISUAL_DIMS);
  const words = wordFeatures(emoji.map(textOf));
  onProgress(emoji.length, emoji.length);

  const write = (name: string, data: string | Uint8Array): string => {
    writeFileSync(join(outDir, name), data);
    return join(outDir, name);
  };
  const pairs = [emoji.length, words.perRow] as const;
  const idsPath = write('text_ids.npy', npyBytes('u2', pairs, words.ids));
  return {
    items: emoji.length,
    modalities: [
      {
        name: 'visual',
        path: write('visual.npy', npyBytes('f4', [emoji.length, VISUAL_DIMS], visual)),
        options: new Map([['codec', 'sq8']]),
      },
      {
        name: 'text',
        path: write('text_scores.npy', npyBytes('f4', pairs, words.scores)),
        options: new Map([
          ['codec', 'ratio'],
          ['features', String(words.perRow)],
          ['ids', idsPath],
          ['dims', String(words.vocabulary.length)],
        ]),
      },
    ],
    metadata: write('metadata.jsonl', lines(emoji.map((entry) => JSON.stringify(metadataOf(entry))))),
    ids: write('ids.txt', lines(emoji.map((entry) => entry.short_name))),
    thumbnails: write('thumbnails.txt', lines(emoji.map((entry) => join('pictures', entry.image)))),
    vocabulary: write('text_vocabulary.txt', lines(words.vocabulary)),
  };
}

/** Three commands that do a first round: three cats are relevant, three flags are not. */
export function firstRoundCommands(host: string, port: number, collection: string): readonly string[] {
  const base = `http://${host.includes(':') ? `[${host}]` : host}:${port}/v1/collections/${collection}`;
  const body = JSON.stringify({
    labels: { positive: ['cat', 'cat2', 'black_cat'], negative: ['flag-ca', 'flag-br', 'jp'] },
    k: 10,
  });
  return [
    `curl -s ${base}/items/cat`,
    `curl -s ${base}/suggest -H 'content-type: application/json' -d '${body}'`,
    `curl -s ${base}/items/smile_cat/thumbnail -o smile_cat.png`,
  ];
}

const PROGRESS_ITEMS = 100;

/** The fields of emoji.json that are used. */
interface Emoji {
  readonly name: string;
  readonly unified: string;
  readonly image: string;
  readonly short_name: string;
  readonly short_names: readonly string[];
  readonly category: string;
  readonly subcategory: string;
  readonly sort_order: number;
  readonly added_in: string;
  readonly has_img_twitter: boolean;
}

/** In Unicode's own order, without skin tones: those are components or variations of an entry. */
function readEmoji(path: string): readonly Emoji[] {
  const all = JSON.parse(readFileSync(path, 'utf8')) as readonly Emoji[];
  return all
    .filter((entry) => entry.has_img_twitter && entry.category !== 'Component')
    .sort((a, b) => a.sort_order - b.sort_order || (a.unified < b.unified ? -1 : 1));
}

function textOf(entry: Emoji): string {
  return [entry.name, ...entry.short_names, entry.category, entry.subcategory].join(' ');
}

function metadataOf(entry: Emoji) {
  return {
    name: entry.name === entry.name.toUpperCase() ? entry.name.toLowerCase() : entry.name,
    group: entry.category,
    subgroup: entry.subcategory,
    characters: String.fromCodePoint(...entry.unified.split('-').map((code) => Number.parseInt(code, 16))),
    file: entry.image,
    added_in: Number(entry.added_in),
  };
}

function npyBytes(type: NpyType, shape: readonly number[], elements: Float32Array | Uint16Array): Uint8Array {
  const data = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
  return Buffer.concat([npyHeader(type, shape), data]);
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('');
}
