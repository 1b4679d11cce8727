// Reads an index into memory ahead of the rounds that will want it.

import { native } from '../native.ts';
import type { Collection } from './open.ts';

/** Read at a time: some tens of milliseconds of a disk, and a whole number of huge pages. */
const STEP_BYTES = 1 << 26;

/** Bytes of the sections that rounds read. */
export function searchedBytes(collection: Collection): number {
  return collection.searched.reduce((sum, section) => sum + native.sectionBytes(section), 0);
}

/**
 * Reads the sections that rounds read, what every round needs first, and yields the bytes of each step. With
 * `hugePages` they are copied onto huge pages where the system has them: a round's thousands of scattered look-ups then
 * miss fewer address translations. Throws Error when a file cannot be read.
 */
export function* warm(collection: Collection, hugePages: boolean): Generator<number> {
  for (const section of collection.searched) {
    const bytes = native.sectionBytes(section);
    for (let at = 0; at < bytes; at += STEP_BYTES) {
      const step = Math.min(STEP_BYTES, bytes - at);
      native.warmSection(section, at, step, hugePages);
      yield step;
    }
  }
}
