// An index that stands and a build that replaces it: what tests of killed and failing builds share.

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import { openIndex } from '../../src/index/open.ts';
import { verifyIndex } from '../../src/index/verify.ts';
import { temporaryFolder } from '../support.ts';
import { build, uniformValues, writeVectors } from './collections.ts';
import { interceptChanges } from './file-system.ts';

export const DIMS = 8;
export const ITEMS = 1500;
/**
 * What the builds under test are built with: every section that large collections have, of which groups and the grid are
 * by default those of many clusters and items only, and several checkpoints in a pass over the items.
 */
export const KILLED = { refine: 3, groups: 12, grid: true, checkpointRows: 512 } as const;

/** Vectors, the generation that `reset` puts at `out`, and the one the builds under test make. */
export async function twoIndexes(
  t: Test,
): Promise<{ folder: string; out: string; input: string; old: string; renewed: string }> {
  const folder = temporaryFolder(t);
  const out = join(folder, 'index');
  const input = writeVectors(join(folder, 'new.npy'), DIMS, uniformValues(1, DIMS * ITEMS));
  const scratch = join(folder, 'scratch');
  const { generation } = await build(scratch, inputs(input), KILLED);
  return { folder, out, input, old: await (await oldIndex(scratch)).generation, renewed: generation };
}

export function inputs(path: string): Parameters<typeof build>[1] {
  return { a: [path, { codec: 'sq8' }], b: [path, { codec: 'ratio' }] };
}

async function oldIndex(out: string): Promise<ReturnType<typeof build>> {
  const path = join(dirname(out), 'old.npy');
  return await build(out, { a: [writeVectors(path, 4, uniformValues(5, 4 * 30))] });
}

/** Builds the old index at `out`, which removes what is abandoned there, and keeps it or not. */
export async function reset(out: string, replaces: boolean): Promise<void> {
  await oldIndex(out);
  if (!replaces) rmSync(out, { recursive: true });
}

/** Which index stands at `out`; it is whole, and no other than one of the two. */
export function stateOf(t: Test, out: string, old: string | null, renewed: string): 'old' | 'new' | 'none' {
  if (!existsSync(out)) {
    t.equal(old, null, 'an index that was there is still there');
    return 'none';
  }
  t.strictSame(verifyIndex(out, true, () => {}).findings, []);
  const { generation } = openIndex(out);
  t.ok(generation === old || generation === renewed, `generation ${generation}`);
  return generation === renewed ? 'new' : 'old';
}

export function filesOf(directory: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'latin1')]),
  );
}

export function leftovers(out: string): string[] {
  return readdirSync(dirname(out)).filter((name) => /\.building$/.test(name));
}

/** How many changes of the file system a build makes. */
export async function changesOf(folder: string, run: () => Promise<unknown>): Promise<number> {
  let changes = 0;
  const restore = interceptChanges(folder, (change) => {
    changes = change;
  });
  try {
    await run();
  } finally {
    restore();
  }
  return changes;
}
