// The cells of GridS (IRIS) for every item of a large collection, when all modalities are written: rounds look them up for
// the items they consider, instead of ranking all items along each component.

import { isSampled } from '../../src/collection-sample.ts';
import { exactCells, GRID_DEFAULTS } from '../../src/grid-cells.ts';
import type { GridManifest, Manifest } from '../../src/index/format.ts';
import { openSections } from '../../src/index/open.ts';
import { native } from '../../src/native.ts';
import { spacesOfAll } from '../../src/spaces.ts';
import type { Workspace } from './workspace.ts';
import { writeSection } from './write.ts';

export interface GridStage {
  readonly workspace: Workspace;
  readonly threads: number;
  readonly onProgress: (done: number, total: number) => void;
}

const { components, segments } = GRID_DEFAULTS;
const CELLS = segments ** components;

/** Whether a build writes cells; when it does not matter: for collections that rounds do not look at whole. */
export function writesGrid(wanted: boolean | undefined, items: number): boolean {
  return wanted ?? isSampled(items);
}

/** Bytes of the section. */
export function gridBytes(items: number): number {
  return native.packedBytes(items, CELLS);
}

/**
 * Writes the section grid.cells. It holds 12 bytes an item beside the section, no more than writing a modality did, which
 * is what the plan counts.
 */
export function writeGrid(manifest: Manifest, { workspace, threads, onProgress }: GridStage): GridManifest {
  if (workspace.grid !== undefined) return workspace.grid;
  const spaces = spacesOfAll(openSections(workspace.index, manifest));
  const scan = { workers: threads, deadlineMs: Number.POSITIVE_INFINITY };
  const cells = exactCells(spaces, components, segments, scan, (done) => onProgress(done, components));
  if (cells === null) throw new Error('a scan without a deadline passed it');
  const packed = new Uint8Array(gridBytes(manifest.items));
  native.packNumbers(cells, CELLS, packed);
  workspace.recordGrid({ components, segments }, writeSection(workspace.index, 'grid.cells', packed));
  return { components, segments };
}
