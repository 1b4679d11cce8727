// Which files are pictures to embed: those of a folder and the folders in it, or those a pattern matches, by name.

import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { expandPath } from '../readers/paths.ts';
import { EmbedError } from './embed-error.ts';

/** What cameras, scanners and web pages name pictures. Kinds that cannot be decoded here are listed as unreadable. */
const PICTURE_NAMES: ReadonlySet<string> = new Set(
  '.jpg .jpeg .jpe .jfif .png .webp .gif .tif .tiff .avif .heic .heif .jp2 .jxl .bmp .svg'.split(' '),
);
/** Paths are held in memory, some hundred bytes each. */
const MOST_PICTURES = 2 ** 26;

export interface Listing {
  /** The folder that keys are relative to. */
  readonly folder: string;
  /** Paths relative to the folder with / between names, in code-unit order. */
  readonly keys: readonly string[];
}

/** Throws EmbedError when there is no picture, InputError for a pattern that matches nothing. */
export function listPictures(path: string): Listing {
  const listing = isFolder(path) ? { folder: path, keys: walk(path) } : matched(path);
  if (listing.keys.length === 0) {
    throw new EmbedError(`${path}: holds no pictures; expected names that end in ${[...PICTURE_NAMES].join(' ')}`);
  }
  if (listing.keys.length > MOST_PICTURES) {
    throw new EmbedError(`${path}: holds ${listing.keys.length} pictures; embed at most ${MOST_PICTURES} at a time`);
  }
  return { folder: listing.folder, keys: listing.keys.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)) };
}

/** A digest of names, lengths and times of change: two listings with the same one have the same pictures. */
export function listingDigest({ folder, keys }: Listing): string {
  const hash = createHash('sha256');
  for (const key of keys) {
    const stats = statSync(join(folder, key), { throwIfNoEntry: false });
    hash.update(`${key}\0${stats?.size}\0${stats?.mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** Links to files are followed, links to folders are not: they may lead around in circles. Names with a dot are hidden. */
function walk(folder: string): string[] {
  const keys: string[] = [];
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    for (const entry of entriesOf(next)) {
      if (entry.name.startsWith('.')) continue;
      const path = join(next, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (isPictureName(entry.name)) keys.push(relative(folder, path).replaceAll(sep, '/'));
    }
  }
  return keys;
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw new EmbedError(
      `${folder}: the folder cannot be read (${(error as NodeJS.ErrnoException).code}); give access to it or move it away`,
    );
  }
}

function matched(pattern: string): Listing {
  const folder = dirname(resolve(pattern));
  const keys = expandPath(pattern)
    .filter((path) => !isFolder(path))
    .map((path) => relative(folder, resolve(path)));
  return { folder, keys };
}

function isPictureName(name: string): boolean {
  return PICTURE_NAMES.has(extname(name).toLowerCase());
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
