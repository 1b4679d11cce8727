// The items of one block, each drawn from the seed and the block's number alone, so that any thread may make any block.
//
// In the order of upload, items come in bursts of one person: the next often shows the same scene, or is the very same
// picture again, and has the same title and tags. Some pictures are found everywhere (re-uploads), and those deleted
// before they were fetched are all the same "not found" image.

import { shareOf, WordStream } from './chance.ts';
import type { CityOfItem } from './cities.ts';
import { clearWords, copyWords, FEATURES, newWords, pack, VALUE_LIMIT, type Words } from './layout.ts';
import {
  CITY_KIND_BITS,
  type Mixture,
  OWN_BITS,
  OWN_FEATURES,
  OWN_TABLE,
  POPULAR_BITS,
  SCORE_BITS,
  type World,
} from './world.ts';

/** Items made by one draw of a thread: a share of the work, and the length of a random stream. */
export const BLOCK_ITEMS = 65_536;

/** With copies within bursts 1.7 % of all. */
const NOT_FOUND = shareOf(0.015);
const EMPTY_TEXT = shareOf(1 / 3);
/** An item continues the burst of the one before; then it is the same picture, or the same words, this often. */
const SAME_BURST = shareOf(0.35);
const SAME_PICTURE = shareOf(0.3);
const SAME_WORDS = shareOf(0.6);
const RE_UPLOAD = shareOf(0.02);
/** One concept or topic is certain and nothing else counts. */
const SINGLE_FEATURE = shareOf(0.01);
/** An item of a city shows and tells what is typical of it; the others could be from anywhere. */
const TYPICAL = shareOf(0.7);
/** Pictures that are uploaded again and again. */
const COPIED_PICTURES = 4096;
/** Tries at a feature that the item does not have yet. */
const TRIES = 16;

/** Words of the items of a block, and each one's city. */
export interface Block {
  readonly visual: Words;
  readonly text: Words;
  readonly cities: Uint8Array;
}

export function newBlock(): Block {
  return { visual: newWords(BLOCK_ITEMS), text: newWords(BLOCK_ITEMS), cities: new Uint8Array(BLOCK_ITEMS) };
}

export class BlockGenerator {
  readonly #seed: number;
  readonly #world: World;
  readonly #cityOf: CityOfItem;
  readonly #copied: Words;
  readonly #notFound = newWords(1);
  readonly #ids = new Uint16Array(FEATURES);
  readonly #ratios = new Uint16Array(FEATURES);

  constructor(seed: number, world: World, cityOf: CityOfItem) {
    this.#seed = seed;
    this.#world = world;
    this.#cityOf = cityOf;
    const stream = new WordStream(seed, 'generate copied pictures');
    this.#draw(world.visual, kindOf(world.visual, stream), stream, this.#notFound, 0);
    this.#copied = newWords(COPIED_PICTURES);
    for (let row = 0; row < COPIED_PICTURES; row++) {
      this.#draw(world.visual, kindOf(world.visual, stream), stream, this.#copied, row);
    }
  }

  /** Fills the first `count` rows with the items `first`, `first + 1`, … of block `number`. */
  fill(block: Block, number: number, first: number, count: number): void {
    const stream = new WordStream(this.#seed, `generate block ${number}`);
    let scene = 0;
    let theme = 0;
    let inBurst = false;
    for (let row = 0; row < count; row++) {
      const city = this.#cityOf.of(first + row);
      block.cities[row] = city;
      const again = inBurst && city === 0 && stream.happens(SAME_BURST);
      // Pictures and texts of a city stand for themselves: bursts are of the other places.
      inBurst = city === 0;
      if (!again) {
        const typical = city > 0 && stream.happens(TYPICAL);
        scene = this.#kind(this.#world.visual, typical ? city : 0, stream);
        theme = this.#kind(this.#world.text, typical ? city : 0, stream);
      }
      this.#picture(block.visual, row, scene, again, stream);
      this.#text(block.text, row, theme, again, stream);
    }
  }

  #picture(words: Words, row: number, scene: number, again: boolean, stream: WordStream): void {
    if (stream.happens(NOT_FOUND)) copyWords(this.#notFound, 0, words, row);
    else if (again && stream.happens(SAME_PICTURE)) copyWords(words, row - 1, words, row);
    else if (stream.happens(RE_UPLOAD)) copyWords(this.#copied, stream.word() & (COPIED_PICTURES - 1), words, row);
    else this.#draw(this.#world.visual, scene, stream, words, row);
  }

  #text(words: Words, row: number, theme: number, again: boolean, stream: WordStream): void {
    if (again && stream.happens(SAME_WORDS)) copyWords(words, row - 1, words, row);
    else if (stream.happens(EMPTY_TEXT)) clearWords(words, row);
    else this.#draw(this.#world.text, theme, stream, words, row);
  }

  #kind(mixture: Mixture, city: number, stream: WordStream): number {
    if (city > 0) {
      const at = ((city - 1) << CITY_KIND_BITS) + (stream.word() >>> (32 - CITY_KIND_BITS));
      return mixture.cityKinds[at] as number;
    }
    return kindOf(mixture, stream);
  }

  /** One vector of a kind: distinct features in the order drawn, with falling scores. */
  #draw(mixture: Mixture, kind: number, stream: WordStream, words: Words, row: number): void {
    const { popular, own, ownShare } = mixture;
    const ids = this.#ids;
    for (let place = 0; place < FEATURES; place++) {
      let id = 0;
      let tries = 0;
      do {
        const word = stream.word();
        // Eight bits decide where from, eight which of the kind's own, sixteen which of all.
        id =
          word >>> 24 < ownShare
            ? (own[kind * OWN_FEATURES + (OWN_TABLE[(word >>> 16) & (2 ** OWN_BITS - 1)] as number)] as number)
            : (popular[word & (2 ** POPULAR_BITS - 1)] as number);
        tries += 1;
      } while (tries < TRIES && holds(ids, place, id));
      while (holds(ids, place, id)) id = popular[stream.word() & (2 ** POPULAR_BITS - 1)] as number;
      ids[place] = id;
    }
    const levels = stream.word();
    const mask = 2 ** SCORE_BITS - 1;
    if (stream.happens(SINGLE_FEATURE)) {
      ids.fill(0, 1);
      this.#ratios.fill(0);
      pack(words, row, ids, VALUE_LIMIT, this.#ratios);
      return;
    }
    for (let place = 1; place < FEATURES; place++) {
      const level = (levels >>> ((place - 1) * SCORE_BITS)) & mask;
      this.#ratios[place] = mixture.ratios[((place - 1) << SCORE_BITS) + level] as number;
    }
    pack(words, row, ids, mixture.values[stream.word() >>> (32 - SCORE_BITS)] as number, this.#ratios);
  }
}

function kindOf(mixture: Mixture, stream: WordStream): number {
  return mixture.kinds[stream.word() >>> (32 - POPULAR_BITS)] as number;
}

function holds(ids: Uint16Array, count: number, id: number): boolean {
  for (let i = 0; i < count; i++) if (ids[i] === id) return true;
  return false;
}
