// The last stage before an index is put in place: it is opened as a reader would and its quality measured, a modality
// after the other.

import { clusterSizes } from '../../src/index/cluster-sizes.ts';
import type { Manifest, QualityManifest } from '../../src/index/format.ts';
import { openSections } from '../../src/index/open.ts';
import { readWords } from '../../src/index/sections.ts';
import { LEAST_ITEMS, measureRecall, QUALITY } from '../../src/quality.ts';
import { dropGarbage } from './garbage.ts';
import type { Workspace } from './workspace.ts';

export interface QualityStage {
  readonly workspace: Workspace;
  /** Hyperplanes of each kind. */
  readonly queries: number;
  readonly threads: number;
  readonly onProgress: (modality: string, done: number, total: number) => void;
}

/** What the manifest says of the sections that were written; null when nothing is to be measured. */
export function measureQuality(manifest: Manifest, stage: QualityStage): QualityManifest | null {
  const { workspace, queries, threads } = stage;
  if (queries === 0 || manifest.items < LEAST_ITEMS) return null;
  const missing = manifest.modalities.filter(({ name }) => workspace.quality(name) === undefined);
  if (missing.length > 0) {
    const collection = openSections(workspace.index, manifest);
    const options = { queries, seed: manifest.seed, workers: threads };
    for (const modality of collection.modalities.values()) {
      const { name } = modality;
      if (!missing.some((wanted) => wanted.name === name)) continue;
      const recall = measureRecall(collection, modality, options, (done) => stage.onProgress(name, done, 2 * queries));
      const sizes = clusterSizes(readWords(workspace.index, manifest, `${name}.starts`));
      workspace.recordQuality(name, { name, cluster_sizes: sizes, recall });
      dropGarbage();
    }
  }
  const modalities = manifest.modalities.flatMap(({ name }) => workspace.quality(name) ?? []);
  return { ...QUALITY, modalities };
}
