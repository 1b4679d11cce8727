// How often the intervals of an audit cover the truth: simulated sessions of every class of caltech97, a sweep of each,
// a stratified sample that the class labels, and the estimate of what was found and of what was left out.
//   node dist/bench/audit.bench.js [sessions]

import { type Estimate, relevantItems } from '../src/audit.ts';
import { drawFrame, type Stratum } from '../src/audit-frame.ts';
import { trainHeads } from '../src/heads.ts';
import { sampleOutside, seededRandom } from '../src/random.ts';
import { DEFAULT_WEIGHT, ROUND_DEFAULTS } from '../src/round-request.ts';
import { scanSweep } from '../src/scan-sweep.ts';
import { caltech97, indexOf, isReal } from './datasets/collections.ts';
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

const sessions = Number(process.argv[2] ?? 600);
const { collection } = await indexOf(caltech97);
const classes = caltech97.realGroups().filter(({ length }) => length > POSITIVES);
const modalities = [...collection.modalities.keys()].map((name) => ({ name, weight: DEFAULT_WEIGHT }));
const rows = [];
for (const perStratum of SAMPLES) {
  for (const alpha of ALPHAS) {
    const audits = Array.from({ length: Math.ceil(sessions / ALPHAS.length) }, (_, seed) =>
      audit(seed, alpha, perStratum),
    );
    rows.push({
      per_stratum: perStratum,
      alpha,
      sessions: audits.length,
      precision_covered: shareOf(audits.map(({ selected }) => selected)),
      precision_width: mean(audits.map(({ selected }) => selected.width)),
      rest_covered: shareOf(audits.map(({ rest }) => rest)),
      rest_width: mean(audits.map(({ rest }) => rest.width)),
    });
  }
}
const title = `audits of ${caltech97.name}${isReal(caltech97) ? '' : ' (synthetic)'}, intervals of 90 %`;
printTable(title, rows);
process.stdout.write(`${writeRun('audit', { sessions, rows })}\n`);

/** One session: a class, some labels, a sweep, a labelled sample. */
function audit(
  seed: number,
  alpha: number,
  perStratum: number,
): { readonly selected: Audited; readonly rest: Audited } {
  const members = classes[seed % classes.length] as Uint32Array;
  const relevant = new Set(members);
  const random = seededRandom(seed, 'audit bench');
  const places = sampleOutside(random, POSITIVES, members.length, new Uint32Array(0));
  const positive = Uint32Array.from(places, (place) => members[place] as number);
  const negative = sampleOutside(random, NEGATIVES, collection.items, members);
  const training = { ...ROUND_DEFAULTS, positive, negative, modalities, seed };
  const labelled = Uint32Array.from([...positive, ...negative]).sort();
  const { heads } = trainHeads(collection, training, labelled);
  const swept = modalities.map(({ name, weight }, m) => {
    const head = heads[m];
    if (head === undefined) throw new Error(`no head was trained for ${name}`);
    return { name, weight, model: head.model };
  });
  const steps = scanSweep(collection, { modalities: swept, selection: { by: 'alpha', alpha }, order: 'item', maxBytes: Number.POSITIVE_INFINITY });
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  const { scanned, items } = step.value;
  const strata = drawFrame(scanned, items, labelled, { strata: STRATA, perStratum, seed });
  const chosen = new Set(items);
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
