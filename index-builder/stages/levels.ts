// eCP's levels above the representatives (Exquisitor §3.2).

import type { Representatives, Space } from '../../src/codecs/codec.ts';
import { levelSizes } from '../../src/index/ecp.ts';
import { sampleAscending, seededRandom } from '../../src/random.ts';
import { assignBySize, assignInParts, treeOver } from './assign.ts';
import type { StageOptions } from './stage.ts';

/** Bottom up. */
export interface Levels {
  readonly levelSizes: Uint32Array;
  /** Representative number of each node of the levels above the lowest, one level after the other. */
  readonly nodes: Uint32Array;
  /** For each node of the levels below the highest: the place of its parent in the next level. */
  readonly parents: Uint32Array;
}

/** Each level a random 1 % of the level below, every node linked to its nearest parent. */
export function levelsOver(space: Space, representatives: Representatives, options: StageOptions): Levels {
  const random = seededRandom(options.seed, `levels of ${options.modality}`);
  const sizes = levelSizes(representatives.count);
  const nodes: Uint32Array[] = [];
  const parents: Uint32Array[] = [];
  const total = sizes.slice(0, -1).reduce((sum, size) => sum + size, 0);
  let done = 0;
  let below = Uint32Array.from({ length: representatives.count }, (_, number) => number);
  for (const size of sizes.slice(1)) {
    const chosen = sampleAscending(random, size, below.length).map((i) => below[i] as number);
    const lower = space.asRows(space.pick(representatives, below));
    const assign = assignBySize(below.length, size);
    const tree = assign === 'exact' ? null : treeOver(size, options.seed);
    const assigner = space.assigner(space.pick(representatives, chosen), tree, options.threads);
    const nearest = new Uint32Array(below.length);
    assignInParts(assigner, assign, lower, nearest, new Float32Array(lower.count), (rows) =>
      options.onProgress('levels', done + rows, total),
    );
    assigner.release();
    done += nearest.length;
    parents.push(nearest);
    nodes.push(chosen);
    below = chosen;
  }
  return { levelSizes: Uint32Array.from(sizes), nodes: joined(nodes), parents: joined(parents) };
}

function joined(parts: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
