// From the files of results to the files of pictures.

import { basename } from 'node:path';
import { composite } from './composite.ts';
import { compositeByZeta } from './composite-by-zeta.ts';
import type { Figure } from './figure.ts';
import { found } from './found.ts';
import { latencyByClusters } from './latency-by-clusters.ts';
import { type Picture, writePictures } from './output.ts';
import { precisionByClusters } from './precision-by-clusters.ts';
import { precisionByLatency } from './precision-by-latency.ts';
import { precisionByRound } from './precision-by-round.ts';
import { precisionBySystem } from './precision-by-system.ts';
import { pngOf, svgOf } from './render.ts';
import { type ResultSet, resultSets } from './result-set.ts';
import { roundLatency } from './round-latency.ts';
import { readSimulation } from './simulation.ts';
import { checkSystems } from './systems.ts';

const FIGURES: readonly Figure[] = [
  precisionBySystem,
  precisionByRound('imagenet'),
  precisionByRound('imagenet-unknown'),
  roundLatency,
  precisionByClusters,
  latencyByClusters,
  precisionByLatency,
  found,
  composite('epochs'),
  composite('sweep'),
  compositeByZeta,
];

/** Reads results and writes their pictures; returns the names of the files, and what could not be drawn and why. */
export async function drawFigures(
  files: readonly string[],
  folder: string,
): Promise<{ readonly written: readonly string[]; readonly missing: readonly string[] }> {
  const sets = resultSets(files.map(readSimulation));
  for (const set of sets) checkSystems(set.runs, set.files);
  const pictures: Picture[] = [];
  const missing: string[] = [];
  for (const figure of FIGURES) {
    const own = sets.filter(({ experiment }) => experiment === figure.experiment);
    for (const set of own) {
      const name = fileName(figure, set, own);
      const drawing = figure.draw(set);
      if (typeof drawing === 'string') {
        missing.push(`${name}: ${drawing}`);
        continue;
      }
      const svg = await svgOf(drawing.spec);
      const { title, caption, markdown } = drawing;
      const table = markdown === undefined ? {} : { markdown };
      pictures.push({
        name,
        title,
        caption,
        files: set.files.map((file) => basename(file)),
        svg,
        png: pngOf(svg),
        ...table,
      });
    }
  }
  if (pictures.length === 0) throw new Error(`${files.join(', ')}: nothing to draw (${missing.join('; ')})`);
  const command = `node dist/bench/figures.js ${files.map((file) => basename(file)).join(' ')} --out ${basename(folder)}`;
  return { written: writePictures(folder, pictures, missing, command), missing };
}

/** The name of the figure; where several sets of results have it, with the collection and a number for the rest. */
function fileName({ name }: Figure, set: ResultSet, all: readonly ResultSet[]): string {
  if (all.length === 1) return name;
  const where = ({ collection, items, over }: ResultSet): string =>
    `${collection} ${items} ${over}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const alike = all.filter((other) => where(other) === where(set));
  const number = alike.length === 1 ? '' : `-${alike.indexOf(set) + 1}`;
  return `${name}-${where(set)}${number}`;
}
