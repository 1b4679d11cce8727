// The traits a generated collection is asked to have, those the papers report of YFCC100M (Exquisitor §3.3, §4.3), and
// whether it has them.

import { CITY_COUNT, citySizes, LEAST_ITEMS } from './cities.ts';
import { FEATURES } from './layout.ts';
import type { ModalityStatistics, Statistics } from './statistics.ts';

export interface Trait {
  readonly name: string;
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly holds: boolean;
}

/** Every trait with what was measured and the range asked for. */
export function traitsOf(statistics: Statistics): Trait[] {
  const { items, visual, text, cities } = statistics;
  const sizes = citySizes(items);
  const of = (name: string, value: number, least: number, most: number): Trait => ({
    name,
    value,
    least,
    most,
    holds: value >= least && value <= most,
  });
  return [
    ...modalityTraits('visual', visual, of),
    ...modalityTraits('text', text, of),
    // One to two percent, the figure asked for; the largest group of equal pictures is the "not found" image.
    of('visual: not found, share of items', visual.large_groups[0] ?? 0, 0.01, 0.02),
    of('visual: empty, share of items', visual.empty_share, 0, 0),
    of('text: empty, share of items', text.empty_share, ...around(1 / 3, items)),
    of('cities', cities.cities, CITY_COUNT, CITY_COUNT),
    of(
      'cities: smallest, items',
      cities.smallest,
      Math.max(LEAST_ITEMS, sizes.at(-1) as number),
      sizes.at(-1) as number,
    ),
    of('cities: largest, items', cities.largest, sizes[0] as number, sizes[0] as number),
    of('cities: largest over smallest', cities.largest / cities.smallest, 3, Number.POSITIVE_INFINITY),
    of('cities: share of items', cities.share, 0, 0.5),
  ];
}

function modalityTraits(
  name: string,
  modality: ModalityStatistics,
  of: (name: string, value: number, least: number, most: number) => Trait,
): Trait[] {
  return [
    // Zipf's law has slope -1.
    of(`${name}: slope of feature counts`, modality.zipf_slope, -1.3, -0.7),
    of(`${name}: features per item that has any`, modality.features_per_item, FEATURES - 0.5, FEATURES),
    of(`${name}: items equal to another, share`, modality.duplicate_share, 0.05, 0.5),
    of(`${name}: vectors of over 1 % of the items`, modality.large_groups.length, 1, 2),
  ];
}

/**
 * Six standard deviations of a share. Texts are copied within bursts with probability 0.35 * 0.6, so neighbours
 * correlate by r = 0.21 and the variance is (1 + r) / (1 - r) = 1.53 times that of independent draws.
 */
function around(share: number, items: number): readonly [least: number, most: number] {
  const deviation = Math.sqrt((1.53 * share * (1 - share)) / items);
  return [share - 6 * deviation, share + 6 * deviation];
}
