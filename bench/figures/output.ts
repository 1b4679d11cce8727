// Pictures into a folder: each file is written aside, made durable and renamed; index.md comes last and lists them.

import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Picture {
  readonly name: string;
  readonly title: string;
  readonly caption: string;
  readonly files: readonly string[];
  readonly svg: string;
  readonly png: Uint8Array;
  /** Its numbers as Markdown tables. */
  readonly markdown?: string;
}

/** Returns the names of the files, in the order in which they were written. */
export function writePictures(
  folder: string,
  pictures: readonly Picture[],
  missing: readonly string[],
  command: string,
): readonly string[] {
  mkdirSync(folder, { recursive: true });
  const written = pictures.flatMap(({ name, svg, png, markdown }) => [
    write(folder, `${name}.svg`, `${svg}\n`),
    write(folder, `${name}.png`, png),
    ...(markdown === undefined ? [] : [write(folder, `${name}.md`, `${markdown}\n`)]),
  ]);
  return [...written, write(folder, 'index.md', index(pictures, missing, command))];
}

function write(folder: string, name: string, content: string | Uint8Array): string {
  const aside = join(folder, `.${name}.${process.pid}.part`);
  try {
    const file = openSync(aside, 'w');
    try {
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(aside, join(folder, name));
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
  return name;
}

function index(pictures: readonly Picture[], missing: readonly string[], command: string): string {
  const parts = pictures.map(({ name, title, caption, files, markdown }) =>
    [
      `## ${title}`,
      `![${title}](${name}.svg)`,
      caption,
      ...(markdown === undefined ? [] : [markdown]),
      `[SVG](${name}.svg), [PNG](${name}.png); from ${files.map((file) => `\`${file}\``).join(', ')}.`,
    ].join('\n\n'),
  );
  const absent = missing.length === 0 ? [] : ['## Not drawn', missing.map((line) => `- ${line}`).join('\n')];
  return `${['# Figures', `Drawn by \`${command}\`.`, ...parts, ...absent].join('\n\n')}\n`;
}
