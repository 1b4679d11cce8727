// The project's own files, for the tests that look at them.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Files under the folders whose name ends so, as paths from the root. */
export function filesIn(folders: readonly string[], ...endings: readonly string[]): string[] {
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((path) => !path.startsWith('build/') && endings.some((ending) => path.endsWith(ending)))
        .map((path) => `${folder}/${path}`),
    )
    .sort();
}

export function lineCount(path: string): number {
  return read(path).split('\n').length - 1;
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
