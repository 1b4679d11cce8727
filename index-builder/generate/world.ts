// What a seed decides before any item: kinds of pictures and of texts, what the cities show of them, and the pictures
// that are uploaded again and again. Does not depend on the number of items.
//
// A kind (a scene of pictures, a theme of texts) has features of its own, drawn by popularity; an item takes most of its
// features from its kind and the rest by popularity alone. Kinds are themselves of Zipf-distributed popularity, so the
// collection has dense and thin regions, and feature counts fall off by Zipf's law. A city prefers a few kinds that
// other places show as well: neither modality alone tells its items apart.

import { type Random, seededRandom, shuffled } from '../../src/random.ts';
import { drawTable, zipfWeights } from './chance.ts';
import { CITY_COUNT } from './cities.ts';
import { FEATURES, type ModalityLayout, RATIO_LIMIT, TEXT, VALUE_LIMIT, VISUAL } from './layout.ts';

/** What items of one modality are drawn from. */
export interface Mixture {
  /** Feature by 16 random bits. */
  readonly popular: Uint16Array;
  /** Kind by 16 random bits. */
  readonly kinds: Uint16Array;
  /** OWN_FEATURES of each kind. */
  readonly own: Uint16Array;
  /** Of a city, kind by CITY_KIND_BITS random bits, city after city. */
  readonly cityKinds: Uint16Array;
  /** How often in 256 a feature is the kind's own. */
  readonly ownShare: number;
  /** First score by SCORE_BITS random bits. */
  readonly values: Uint16Array;
  /** Further score over the one before by SCORE_BITS random bits, for each place after the first. */
  readonly ratios: Uint16Array;
}

export interface World {
  readonly visual: Mixture;
  readonly text: Mixture;
}

export const OWN_FEATURES = 16;
export const OWN_BITS = 8;
export const POPULAR_BITS = 16;
export const CITY_KIND_BITS = 8;
export const SCORE_BITS = 6;

/** Which of a kind's own features, by OWN_BITS random bits: the first most often. */
export const OWN_TABLE = drawTable(
  Float64Array.from({ length: OWN_FEATURES }, (_, i) => 0.75 ** i),
  OWN_BITS,
);

interface MixtureShape {
  readonly layout: ModalityLayout;
  readonly kinds: number;
  /** Popularity of the feature of rank r is 1 / (r + offset)^exponent; the offset keeps the first ones out of most items. */
  readonly exponent: number;
  readonly ownExponent: number;
  readonly offset: number;
  readonly ownShare: number;
  readonly cityKinds: number;
  /** The quantile function of the first score, and of the ratio of a score to the one before, at 0 to 1. */
  readonly value: (quantile: number) => number;
  readonly ratio: (quantile: number, place: number) => number;
}

/** Softmax outputs: from sure of one concept to spread over many, the second often far below the first. */
const VISUAL_SHAPE: MixtureShape = {
  layout: VISUAL,
  kinds: 512,
  exponent: 1.3,
  ownExponent: 1,
  offset: 3,
  ownShare: 0.75,
  cityKinds: 3,
  value: (quantile) => 0.05 + 0.94 * quantile,
  ratio: (quantile, place) => (place === 1 ? 0.05 + 0.9 * quantile : 0.3 + 0.65 * quantile),
};

/** Topic shares of a short document: the first leads, the rest follow more evenly. */
const TEXT_SHAPE: MixtureShape = {
  layout: TEXT,
  kinds: 384,
  exponent: 1.5,
  ownExponent: 1,
  offset: 1,
  ownShare: 0.8,
  cityKinds: 2,
  value: (quantile) => 0.15 + 0.7 * quantile,
  ratio: (quantile) => 0.25 + 0.7 * quantile,
};

export function worldOf(seed: number): World {
  return { visual: mixtureOf(VISUAL_SHAPE, seed), text: mixtureOf(TEXT_SHAPE, seed) };
}

function mixtureOf(shape: MixtureShape, seed: number): Mixture {
  const { dims, name } = shape.layout;
  const random = seededRandom(seed, `generate ${name} world`);
  // Which feature is the most popular, the next, and so on: numbers say nothing about popularity.
  const byRank = shuffled(dims, random);
  const popular = drawTable(zipfWeights(dims, shape.exponent, shape.offset), POPULAR_BITS).map(
    (rank) => byRank[rank] as number,
  );
  const ownPopular = drawTable(zipfWeights(dims, shape.ownExponent, shape.offset), POPULAR_BITS).map(
    (rank) => byRank[rank] as number,
  );
  const own = new Uint16Array(shape.kinds * OWN_FEATURES);
  for (let kind = 0; kind < shape.kinds; kind++) {
    own.set(
      distinct(OWN_FEATURES, () => ownPopular[random.below(ownPopular.length)] as number),
      kind * OWN_FEATURES,
    );
  }
  const cityKinds = new Uint16Array(CITY_COUNT << CITY_KIND_BITS);
  for (let city = 0; city < CITY_COUNT; city++) cityKinds.set(preferredKinds(shape, random), city << CITY_KIND_BITS);
  return {
    popular,
    kinds: drawTable(zipfWeights(shape.kinds, 0.5), POPULAR_BITS),
    own,
    cityKinds,
    ownShare: Math.round(shape.ownShare * 256),
    values: codes(shape.value, VALUE_LIMIT),
    ratios: Uint16Array.from(
      Array.from({ length: FEATURES - 1 }, (_, i) => [
        ...codes((quantile) => shape.ratio(quantile, i + 1), RATIO_LIMIT),
      ]).flat(),
    ),
  };
}

/** The kinds of one city, by CITY_KIND_BITS random bits. */
function preferredKinds({ kinds, cityKinds }: MixtureShape, random: Random): Uint16Array {
  const preferred = distinct(cityKinds, () => random.below(kinds));
  return drawTable(zipfWeights(cityKinds, 0.5), CITY_KIND_BITS).map((i) => preferred[i] as number);
}

/** A distribution on SCORE_BITS random bits: few levels, as codes of few bits have. */
function codes(quantile: (at: number) => number, limit: number): Uint16Array {
  const levels = 2 ** SCORE_BITS;
  return Uint16Array.from({ length: levels }, (_, level) => Math.round(quantile((level + 0.5) / levels) * limit));
}

function distinct(count: number, draw: () => number): number[] {
  const drawn = new Set<number>();
  while (drawn.size < count) drawn.add(draw());
  return [...drawn];
}
