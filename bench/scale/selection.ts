// What choosing clusters through their groups saves and loses: the same index with its groups and without, by the time of
// the choice, the clusters both choose, and the share of the exhaustive top 1000 that lies in the clusters of each.

import type { Collection, Modality } from '../../src/index/open.ts';
import { openSections } from '../../src/index/open.ts';
import type { LabelSet } from '../../src/label-sets.ts';
import { native } from '../../src/native.ts';
import type { HeadHandle } from '../../src/native-types.ts';
import { trained } from '../baselines/multimodal.ts';
import { compare, mean, type Quantiles } from '../measure.ts';

export interface Selection {
  readonly modality: string;
  readonly groups: number;
  readonly labels: number;
  readonly hyperplanes: number;
  /** Choices that were timed, and their times in milliseconds. */
  readonly calls: number;
  readonly grouped: Quantiles;
  readonly flat: Quantiles;
  /** Share of the clusters chosen among all that are chosen through groups too: mean and least. */
  readonly overlap: number;
  readonly leastOverlap: number;
  /** Share of the exhaustive top 1000 in the chosen clusters, over the first RECALL_SETS. */
  readonly groupedRecall: number;
  readonly flatRecall: number;
}

const CLUSTERS = 256;
const TOP = 1000;
const RECALL_SETS = 20;
const REPETITIONS = 2;

/** Of the modalities that have groups. */
export function measureSelection(collection: Collection, sets: readonly LabelSet[]): readonly Selection[] {
  const flat = withoutGroups(collection);
  return [...collection.modalities.values()]
    .filter(({ manifest }) => manifest.groups !== undefined)
    .map((modality) => selectionOf(collection, modality, flat.modalities.get(modality.name) as Modality, sets));
}

/** The same sections, opened as if the manifest knew of no groups. */
function withoutGroups({ directory, manifest }: Collection): Collection {
  const modalities = manifest.modalities.map(({ groups: _, ratio, ...modality }) => {
    if (ratio === undefined) return modality;
    const { groups: __, ...parameters } = ratio;
    return { ...modality, ratio: parameters };
  });
  return openSections(directory, { ...manifest, modalities });
}

function selectionOf(collection: Collection, grouped: Modality, flat: Modality, sets: readonly LabelSet[]): Selection {
  const sizeLimit = collection.manifest.build.size_limit;
  const heads = sets.map((labels) => {
    const { weights, bias } = trained(grouped, { ...labels, seed: 0 });
    return [grouped, flat].map(({ cells }) => native.linearHead(cells, weights, bias)) as [HeadHandle, HeadHandle];
  });
  const choose = (set: number, form: 0 | 1): Uint32Array => {
    const clusters = new Uint32Array(Math.min(CLUSTERS, grouped.manifest.clusters));
    const { ordinary } = native.selectClusters((heads[set] as [HeadHandle, HeadHandle])[form], sizeLimit, clusters);
    return clusters.subarray(0, ordinary);
  };
  const [groupedTimes, flatTimes] = compare(
    [
      { name: 'grouped', run: (set) => choose(set, 0)[0] },
      { name: 'flat', run: (set) => choose(set, 1)[0] },
    ],
    { inputs: sets.length, repetitions: REPETITIONS },
  );
  const overlaps = sets.map((_, set) => {
    const among = new Set(choose(set, 0));
    const all = choose(set, 1);
    return all.filter((cluster) => among.has(cluster)).length / all.length;
  });
  const recalls = heads.slice(0, RECALL_SETS).map((pair, set) => {
    const best = bestScore(pair[1], collection.items);
    return [0, 1].map((form) => reached(pair[1], choose(set, form as 0 | 1), best));
  });
  const [{ positive, negative }] = sets as [LabelSet];
  return {
    modality: grouped.name,
    groups: grouped.manifest.groups ?? 0,
    labels: positive.length + negative.length,
    hyperplanes: sets.length,
    calls: (groupedTimes as NonNullable<typeof groupedTimes>).calls,
    grouped: (groupedTimes as NonNullable<typeof groupedTimes>).wall,
    flat: (flatTimes as NonNullable<typeof flatTimes>).wall,
    overlap: mean(overlaps),
    leastOverlap: Math.min(...overlaps),
    groupedRecall: mean(recalls.map(([share]) => share as number)),
    flatRecall: mean(recalls.map(([, share]) => share as number)),
  };
}

/** The score of the last of the exhaustive best. */
function bestScore(head: HeadHandle, items: number): number {
  const scores = new Float64Array(Math.min(TOP, items));
  native.scanAll(head, new Uint32Array(0), 1, Number.POSITIVE_INFINITY, new Uint32Array(scores.length), scores);
  return scores.at(-1) as number;
}

/** Share of the exhaustive best that the best of these clusters are; equal scores may replace each other. */
function reached(head: HeadHandle, clusters: Uint32Array, least: number): number {
  const scores = new Float64Array(TOP);
  const counts = new Uint32Array(1);
  const found = new Uint32Array(TOP);
  native.scanClusters(head, clusters, TOP, new Uint32Array(0), 1, Number.POSITIVE_INFINITY, found, scores, counts);
  return scores.subarray(0, counts[0]).filter((score) => score >= least).length / TOP;
}
