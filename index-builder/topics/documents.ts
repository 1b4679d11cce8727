// Texts in a file, one after the other in bounded memory: CSV and TSV with a header line, or JSON Lines. What reads them
// sees only `Documents`, so another kind of file is another function here.

import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { parse } from 'csv-parse';
import { TopicError } from './topic-error.ts';

/** One text, and its key where one was asked for. */
export interface Document {
  readonly text: string;
  readonly key: string | null;
}

/** Can be gone through more than once, always in the same order; `onBytes` hears how far of the file it is. */
export type Documents = (onBytes: (done: number, total: number) => void) => AsyncIterable<Document>;

export interface DocumentOptions {
  readonly path: string;
  /** Fields whose texts are joined; lists of strings are joined too. */
  readonly fields: readonly string[];
  readonly key?: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** One line; titles, tags and descriptions have a few kilobytes. */
const MOST_RECORD_CHARACTERS = 2 ** 22;

/** Throws TopicError for a file that cannot be read; going through the texts does, for a line that is none. */
export function openDocuments(options: DocumentOptions): Documents {
  const { path } = options;
  const head = headOf(path);
  const extension = extname(path).toLowerCase();
  if (head.replace('\ufeff', '').trimStart().startsWith('{')) return (onBytes) => fromJsonLines(options, onBytes);
  if (extension === '.csv') return (onBytes) => fromTable(options, ',', onBytes);
  if (extension === '.tsv' || extension === '.tab') return (onBytes) => fromTable(options, '\t', onBytes);
  throw new TopicError(`${path}: is no file of texts; expected .csv or .tsv with a header line, or JSON Lines`);
}

async function* fromTable(
  { path, fields, key }: DocumentOptions,
  delimiter: string,
  onBytes: (done: number, total: number) => void,
): AsyncGenerator<Document> {
  const input = createReadStream(path);
  const { size } = statSync(path);
  const rows = input.pipe(
    parse({
      delimiter,
      bom: true,
      columns: true,
      max_record_size: MOST_RECORD_CHARACTERS,
      // Titles in tab-separated files hold single quotation marks.
      ...(delimiter === '\t' ? { quote: null } : {}),
    }),
  );
  input.on('error', (error) => rows.destroy(error));
  let rowsRead = 0;
  try {
    for await (const row of rows as AsyncIterable<Fields>) {
      const number = ++rowsRead;
      yield documentOf(row, fields, key, () => `${path} row ${number}`);
      onBytes(input.bytesRead, size);
    }
  } catch (error) {
    if (error instanceof TopicError) throw error;
    throw new TopicError(
      `${path}: is not readable as ${delimiter === ',' ? 'CSV' : 'TSV'} (${(error as Error).message})`,
    );
  } finally {
    input.destroy();
  }
}

async function* fromJsonLines(
  { path, fields, key }: DocumentOptions,
  onBytes: (done: number, total: number) => void,
): AsyncGenerator<Document> {
  const input = createReadStream(path, { encoding: 'utf8' });
  const { size } = statSync(path);
  let number = 0;
  try {
    for await (const line of linesOf(input, path)) {
      number++;
      const where = (): string => `${path} line ${number}`;
      if (line.trim() === '') throw new TopicError(`${where()}: is empty; expected an object on every line`);
      yield documentOf(parsedLine(line, where), fields, key, where);
      onBytes(input.bytesRead, size);
    }
  } catch (error) {
    if (error instanceof TopicError) throw error;
    throw new TopicError(`${path}: cannot be read (${(error as Error).message})`);
  } finally {
    input.destroy();
  }
}

/** Lines end with \n alone or \r\n; other separators of Unicode may stand inside a string of JSON. */
async function* linesOf(input: AsyncIterable<string>, path: string): AsyncGenerator<string> {
  let rest = '';
  let isFirst = true;
  for await (const chunk of input) {
    const lines = (rest + (isFirst ? chunk.replace(/^\ufeff/, '') : chunk)).split('\n');
    isFirst = false;
    rest = lines.pop() as string;
    if (rest.length > MOST_RECORD_CHARACTERS) {
      throw new TopicError(
        `${path}: has a line of more than ${MOST_RECORD_CHARACTERS} characters; split the file into lines`,
      );
    }
    yield* lines;
  }
  if (rest !== '') yield rest;
}

function parsedLine(line: string, where: () => string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new TopicError(`${where()}: is not JSON (${(error as Error).message}); expected an object`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new TopicError(`${where()}: is no JSON object; expected one with the fields asked for`);
}

/** A field may be missing from single lines of JSON, and is then empty; in a table the header must have it. */
function documentOf(row: Fields, fields: readonly string[], key: string | undefined, where: () => string): Document {
  if (!fields.some((field) => Object.hasOwn(row, field))) {
    throw new TopicError(
      `${where()}: has none of the fields ${fields.join(', ')}; it has ${Object.keys(row).slice(0, 20).join(', ')}: choose with --fields`,
    );
  }
  const texts = fields.map((field) => textOf(row[field], () => `${where()}: field ${field}`));
  return { text: texts.join(' '), key: key === undefined ? null : keyOf(row, key, where) };
}

function textOf(value: unknown, where: () => string): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.map((each) => textOf(each, where)).join(' ');
  throw new TopicError(`${where()} is ${typeof value}; expected text, a number or a list of them`);
}

function keyOf(row: Fields, name: string, where: () => string): string {
  const key = row[name];
  const text = typeof key === 'string' || typeof key === 'number' ? String(key) : '';
  if (text !== '' && !/[\r\n]/.test(text)) return text;
  throw new TopicError(`${where()}: field ${name} is no key; expected text of one line, or choose another --key`);
}

/** The first characters, by which kinds of files are told apart. */
function headOf(path: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(64);
      return bytes.toString('utf8', 0, readSync(file, bytes));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new TopicError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code}); name a file of texts`);
  }
}
