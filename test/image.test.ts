// The container image holds all that the program runs.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const root = fileURLToPath(new URL('../../', import.meta.url));

t.test('every folder that the program imports from is in the context, compiled, and in the image', async (t) => {
  const ignore = linesOf('.dockerignore');
  const image = linesOf('Dockerfile');
  const folders = importedFolders('src');
  t.ok(folders.includes('index-builder'));
  for (const folder of folders) {
    t.ok(ignore.includes(`!${folder}`), `${folder} is in the context`);
    t.ok(image.includes(`COPY ${folder} ${folder}`), `${folder} is compiled`);
    t.ok(image.includes(`COPY --from=build /app/dist/${folder} dist/${folder}`), `${folder} is in the image`);
  }
});

/** The folders that the files of one import from, and those of these, itself first. */
function importedFolders(first: string): string[] {
  const folders = [first];
  for (const folder of folders) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts')) continue;
      const path = join(folder, name);
      for (const [, specifier = ''] of read(path).matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
        const [imported = ''] = join(dirname(path), specifier).split('/');
        if (!folders.includes(imported)) folders.push(imported);
      }
    }
  }
  return folders;
}

function linesOf(path: string): string[] {
  return read(path).split('\n');
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
