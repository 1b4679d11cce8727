// How well clusters are chosen for MLP heads, and how many of the best the rough scores of rabitq codes keep.

import { candidatesOfAll, candidatesOfBestClusters } from '../../src/candidates.ts';
import { codecNamed } from '../../src/codecs/registry.ts';
import { type Head, headOf } from '../../src/head.ts';
import { trainHeads } from '../../src/heads.ts';
import type { Collection, Modality } from '../../src/index/open.ts';
import { mapSection } from '../../src/index/sections.ts';
import { native } from '../../src/native.ts';
import type { SectionHandle } from '../../src/native-types.ts';
import { MLP_DEFAULTS, type ModelOptions, ROUND_DEFAULTS } from '../../src/round-request.ts';
import { caltech97, type Dataset, groupsOf, indexOf, lsc41k, tate } from '../datasets/collections.ts';
import { groupLabelSets } from '../datasets/label-sets.ts';
import { mean } from '../measure.ts';

const TOP = 100;
const CLUSTERS = [16, 64, 256] as const;
const none = new Uint32Array(0);

const MODELS: readonly ModelOptions[] = [
  ROUND_DEFAULTS.model,
  { kind: 'mlp', hidden: [32], c: MLP_DEFAULTS.c },
  { kind: 'mlp', hidden: [64, 32], c: MLP_DEFAULTS.c },
];

/**
 * Per collection, codec and model the mean share of the exact top 100 that a search of every item finds (1 where codes
 * bound their errors) and that of the b best clusters, chosen by mean and spread and by the mean alone.
 */
export async function recalls(seed: number, sets: number): Promise<Record<string, string>[]> {
  const rows: Record<string, string>[] = [];
  for (const [dataset, codec] of [
    [caltech97, null],
    [lsc41k, null],
    [tate, null],
    [caltech97, 'rabitq'],
    [tate, 'rabitq'],
  ] as const) {
    const dense = dataset.modalities.filter(({ shape }) => shape.kind === 'dense').map(({ name }) => name);
    const { collection } = await indexOf(dataset, codec === null ? {} : { modalities: dense, keys: { codec } });
    for (const modality of collection.modalities.values())
      rows.push(...recallsOf(dataset, collection, modality, seed, sets));
  }
  return rows;
}

function recallsOf(dataset: Dataset, collection: Collection, modality: Modality, seed: number, count: number) {
  const sets = groupLabelSets(groupsOf(dataset), collection.items, count, 10, 100, seed);
  const blind = withoutSpread(collection, modality);
  return MODELS.map((model) => {
    const shares: Record<string, number[]> = {};
    for (const { positive, negative } of sets) {
      const training = { positive, negative, model, modalities: [{ name: modality.name, weight: 1 }], seed };
      const unhurried = { ...training, startMs: 0, deadlineMs: Number.POSITIVE_INFINITY };
      const [trained] = trainHeads(collection, unhurried, none).heads as readonly [Head];
      const best = topOf(trained, collection.items);
      const found = (name: string, items: Uint32Array): void => {
        shares[name] ??= [];
        shares[name].push(items.filter((item) => best.has(item)).length / best.size);
      };
      const search = { ...ROUND_DEFAULTS, candidates: TOP, k: TOP, sizeLimit: collection.items };
      const all = { ...search, items: collection.items };
      found('every item', candidatesOfAll([headOf(modality, trained.model)], all, none).items);
      for (const clusters of CLUSTERS) {
        for (const [name, opened] of [
          [`b=${clusters}`, modality],
          [`b=${clusters}, mean`, blind],
        ] as const) {
          const heads = [headOf(opened, trained.model)];
          found(name, candidatesOfBestClusters(heads, { ...all, clusters }, none, () => {}).items);
        }
      }
    }
    return {
      collection: dataset.name,
      modality: modality.name,
      codec: modality.manifest.codec,
      model: 'hidden' in model ? `mlp [${model.hidden}]` : model.kind,
      ...Object.fromEntries(Object.entries(shares).map(([name, list]) => [name, mean(list).toFixed(3)])),
    };
  });
}

/** The items with the largest exact scores. */
function topOf(head: Head, items: number): ReadonlySet<number> {
  const scores = new Float64Array(items);
  native.scoreAll(head.prepared, 1, Number.POSITIVE_INFINITY, scores);
  const order = new Uint32Array(items);
  native.orderByScore(
    Uint32Array.from({ length: items }, (_, item) => item),
    scores,
    order,
  );
  return new Set(order.subarray(0, TOP));
}

/** The same modality, opened without what is known of its clusters' spread. */
function withoutSpread({ directory, manifest }: Collection, modality: Modality): Modality {
  const { name } = modality;
  const map = (suffix: string): SectionHandle => {
    const section = manifest.sections.find((section) => section.name === `${name}.${suffix}`);
    if (section === undefined) throw new RangeError(`${directory} has no section ${name}.${suffix}`);
    return mapSection(directory, section);
  };
  const { codes, representatives } = codecNamed(modality.manifest.codec).open(modality.manifest, manifest.items, map);
  const cells = native.openCells(codes, representatives, null, map('items'), map('slots'), map('starts'));
  return { ...modality, cells, codes, representatives };
}
