// Opening what sq8 keeps of clusters: representatives on the scale of the items, and variances on one of their own.

import type { ModalityManifest } from '../index/format.ts';
import { native } from '../native.ts';
import type { CodesHandle, SectionHandle } from '../native-types.ts';
import { CodecError } from './codec.ts';

export interface Sq8Clusters {
  readonly offset: Float32Array;
  readonly step: Float32Array;
  readonly representatives: CodesHandle;
  readonly spread: CodesHandle | null;
  readonly groups: CodesHandle | null;
}

/** Throws CodecError for a scale of other dims. */
export function openSq8Clusters(manifest: ModalityManifest, section: (suffix: string) => SectionHandle): Sq8Clusters {
  const { clusters, groups } = manifest;
  const { offset, step } = readScale(manifest, 'scale', section);
  const spread = manifest.spread ? readScale(manifest, 'spread-scale', section) : null;
  return {
    offset,
    step,
    representatives: native.openSq8(clusters, offset, step, section('representatives')),
    spread: spread && native.openSq8(clusters, spread.offset, spread.step, section('spread')),
    groups: groups === undefined ? null : native.openSq8(groups, offset, step, section('groups')),
  };
}

function readScale(
  { name, dims }: ModalityManifest,
  suffix: string,
  section: (suffix: string) => SectionHandle,
): { offset: Float32Array; step: Float32Array } {
  const handle = section(suffix);
  const offset = new Float32Array(dims);
  const step = new Float32Array(dims);
  const bytes = native.sectionBytes(handle);
  if (bytes !== 8 * dims) throw new CodecError(`section ${name}.${suffix}: ${bytes} bytes for ${dims} dims`);
  native.readSection(handle, 0, new Uint8Array(offset.buffer));
  native.readSection(handle, offset.byteLength, new Uint8Array(step.buffer));
  return { offset, step };
}
