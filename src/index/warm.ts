// Reads an index into memory ahead of the rounds that will want it.

import { native } from '../native.ts';
import type { Collection } from './open.ts';
import { readThrough } from './sections.ts';

/**
 * Read at a time: a whole number of huge pages, and few of them, because a step is in memory twice while it is copied.
 */
const STEP_BYTES = 1 << 23;

/** Copies on huge pages cannot be dropped like pages of a file: they are made when this many times their size is available. */
const HUGE_PAGES_MARGIN = 2;

/** Whether memory is plentiful enough for so many bytes on huge pages. */
export function fitsHugePages(bytes: number): boolean {
  return process.availableMemory() >= HUGE_PAGES_MARGIN * bytes;
}

/** Bytes of the sections that rounds read. */
export function searchedBytes({ searched, grid }: Collection): number {
  const sections = grid === null ? searched : [...searched, grid.section];
  return sections.reduce((sum, section) => sum + native.sectionBytes(section), 0);
}

/**
 * Reads the sections that rounds read, what every round needs first, and yields the bytes of each step. With
 * `hugePages` they are copied onto huge pages where the system has them: a round's thousands of scattered look-ups then
 * miss fewer address translations. The cells of the grid only the grid sampler asks for: they are read into the system's
 * file cache, and become part of the process's memory where rounds with that sampler touch them. Throws Error when a
 * file cannot be read.
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
  if (collection.grid !== null) yield* readThrough(collection.directory, collection.manifest, 'grid.cells');
}
