// How often the intervals of an audit cover the truth: simulated sessions of every class of a collection, a sweep of each,
// a stratified sample that the class labels, and the estimate of what was found and of what was left out.
//   node dist/bench/audit.bench.js [collection …] [sessions=600]

import { type Estimate, relevantItems } from '../src/audit.ts';
import { drawFrame, type Stratum } from '../src/audit-frame.ts';
import { trainHeads } from '../src/heads.ts';
import type { Collection } from '../src/index/open.ts';
import { type Random, sampleOutside, seededRandom } from '../src/random.ts';
import { DEFAULT_WEIGHT, ROUND_DEFAULTS } from '../src/round-request.ts';
import { scanSweep } from '../src/scan-sweep.ts';
import { caltech97, type Dataset, describe, groupsOf, indexOf, lsc41k, named, tate } from './datasets/collections.ts';
import { mean, printTable, writeRun } from './measure.ts';

const POSITIVES = 5;
const NEGATIVES = 20;
const ALPHAS = [1, 2, 3];
const SAMPLES = [10, 25, 50];
const STRATA = 4;

interface Audited {
  readonly covered: boolean;
  /** Of the interval, as a share of the items it speaks of. */
  readonly width: number;
}

/** A collection that is audited, and what its simulated people look for. */
interface World {
  readonly name: string;
  readonly collection: Collection;
  readonly modalities: readonly { readonly name: string; readonly weight: number }[];
  readonly classes: readonly Uint32Array[];
}

const words = process.argv.slice(2);
const given = words.find((word) => word.startsWith('sessions='));
const sessions = given === undefined ? 600 : Number(given.slice('sessions='.length));
const names = words.filter((word) => word !== given);
const datasets = named(names, [caltech97, tate, lsc41k], [caltech97, tate, lsc41k]);
for (const dataset of datasets) {
  const world = await worldOf(dataset);
  const rows = SAMPLES.flatMap((perStratum) => ALPHAS.map((alpha) => audits(world, alpha, perStratum)));
  printTable(`audits of ${describe(dataset)}, ${world.classes.length} classes, intervals of 90 %`, rows);
  process.stdout.write(`${writeRun('audit', { collection: dataset.name, sessions, rows }, dataset.name)}\n`);
}

async function worldOf(dataset: Dataset): Promise<World> {
  const { collection } = await indexOf(dataset);
  const modalities = [...collection.modalities.keys()].map((name) => ({ name, weight: DEFAULT_WEIGHT }));
  return {
    name: dataset.name,
    collection,
    modalities,
    classes: groupsOf(dataset).filter(({ length }) => length > POSITIVES),
  };
}

/** Sessions of classes of every size, from the largest to the smallest, each with draws of its own. */
function audits(world: World, alpha: number, perStratum: number): Readonly<Record<string, number>> {
  const count = Math.ceil(sessions / ALPHAS.length);
  const { name, classes } = world;
  const audited = Array.from({ length: count }, (_, seed) => {
    const members = classes[Math.floor((seed * classes.length) / count)] as Uint32Array;
    const random = seededRandom(seed, `audit of ${name}, alpha ${alpha}, ${perStratum} a stratum`);
    return audit(world, members, random, alpha, perStratum);
  });
  return {
    per_stratum: perStratum,
    alpha,
    sessions: count,
    precision_covered: shareOf(audited.map(({ selected }) => selected)),
    precision_width: mean(audited.map(({ selected }) => selected.width)),
    rest_covered: shareOf(audited.map(({ rest }) => rest)),
    rest_width: mean(audited.map(({ rest }) => rest.width)),
  };
}

/** One session of a class: some labels, a sweep, a labelled sample. */
function audit(
  { collection, modalities }: World,
  members: Uint32Array,
  random: Random,
  alpha: number,
  perStratum: number,
): { readonly selected: Audited; readonly rest: Audited } {
  const relevant = new Set(members);
  const places = sampleOutside(random, POSITIVES, members.length, new Uint32Array(0));
  const positive = Uint32Array.from(places, (place) => members[place] as number);
  const negative = sampleOutside(random, NEGATIVES, collection.items, members);
  const seed = random.below(2 ** 32);
  const training = { ...ROUND_DEFAULTS, positive, negative, modalities, seed };
  const labelled = Uint32Array.from([...positive, ...negative]).sort();
  const { heads } = trainHeads(collection, training, labelled);
  const swept = modalities.map(({ name, weight }, m) => {
    const head = heads[m];
    if (head === undefined) throw new Error(`no head was trained for ${name}`);
    return { name, weight, model: head.model };
  });
  const steps = scanSweep(collection, {
    modalities: swept,
    selection: { by: 'alpha', alpha },
    order: 'item',
    admission: null,
    maxBytes: Number.POSITIVE_INFINITY,
  });
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  const { scanned, selected, population } = step.value;
  const strata = drawFrame(scanned, selected, labelled, { strata: STRATA, perStratum, population, seed });
  const chosen = new Set(selected);
  const truth = members.filter((item) => !labelled.includes(item));
  const inSelected = truth.filter((item) => chosen.has(item)).length;
  return {
    selected: compare(
      strata.filter(({ selected }) => selected),
      relevant,
      inSelected,
    ),
    rest: compare(
      strata.filter(({ selected }) => !selected),
      relevant,
      truth.length - inSelected,
    ),
  };
}

function compare(strata: readonly Stratum[], relevant: ReadonlySet<number>, truth: number): Audited {
  const { low, high }: Estimate = relevantItems(
    strata.map(({ items, sample }) => ({
      items,
      labelled: sample.length,
      relevant: sample.filter((item) => relevant.has(item)).length,
    })),
  );
  const items = strata.reduce((sum, stratum) => sum + stratum.items, 0);
  return { covered: low <= truth && truth <= high, width: items === 0 ? 0 : (high - low) / items };
}

function shareOf(audits: readonly Audited[]): number {
  return audits.filter(({ covered }) => covered).length / audits.length;
}
