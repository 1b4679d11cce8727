// One modality from vectors to sections: encode → cluster → assign → write, each from where an earlier build came to.

import { readFileSync, rmSync } from 'node:fs';
import type { Representatives, Space } from '../../src/codecs/codec.ts';
import type { ModalityManifest } from '../../src/index/format.ts';
import { assignRows } from './assign.ts';
import { learnRepresentatives } from './cluster.ts';
import { changing, writeDurably } from './disk.ts';
import { encodeRows } from './encode.ts';
import { dropGarbage } from './garbage.ts';
import { packModality } from './pack.ts';
import type { ModalityPlan, PlannedModality } from './plan.ts';
import type { ScratchFile } from './scratch.ts';
import type { StageOptions } from './stage.ts';

/** What only the caller knows of a modality. */
export type ModalityHead = Pick<ModalityManifest, 'codec' | 'source'>;

export async function buildModality(
  { name, reader, encoder }: PlannedModality,
  plan: ModalityPlan,
  head: (onHashed: (bytes: number, total: number) => void) => ModalityHead,
  options: StageOptions,
): Promise<ModalityManifest> {
  const { workspace } = options;
  const before = workspace.progress(name);
  if (before.manifest !== undefined) return before.manifest;

  const open: ScratchFile[] = [];
  try {
    const records = await encodeRows(reader, encoder, options);
    open.push(records);
    dropGarbage();
    const space = encoder.space();
    const representatives = representativesOf(space, records, options);
    dropGarbage();
    const { nearest, agreement } = assignRows(space, records, representatives, options);
    open.push(nearest);
    dropGarbage();
    const packed = packModality(space, records, nearest, representatives, agreement, plan.partitionBytes, options);
    const { dims, normalize } = space;
    const source = head((bytes, total) => options.onProgress('hash', bytes, total));
    const manifest = { name, dims, normalize, ...source, ...packed.manifest };
    const { state } = workspace.progress(name);
    workspace.record(name, { stage: 'finished', row: 0, state, manifest }, packed.sections);
    return manifest;
  } finally {
    for (const file of open) file.close();
    if (workspace.progress(name).manifest !== undefined) {
      for (const kind of ['records', 'nearest', 'representatives']) {
        const path = workspace.scratch(`${name}.${kind}`);
        changing(path, () => rmSync(path, { force: true }));
      }
    }
  }
}

/** Learned now, or by the build that is resumed. */
function representativesOf(space: Space, records: ScratchFile, options: StageOptions): Representatives {
  const { workspace, modality } = options;
  const path = workspace.scratch(`${modality}.representatives`);
  const { stage, state } = workspace.progress(modality);
  if (stage !== 'cluster') return space.load(readFileSync(path));
  const representatives = learnRepresentatives(space, records, options);
  writeDurably(path, space.save(representatives));
  workspace.record(modality, { stage: 'assign', row: 0, state });
  return representatives;
}
