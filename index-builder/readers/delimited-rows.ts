// The rows of a CSV or TSV file, streamed.

import { extname } from 'node:path';
import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { InputError } from './reader.ts';
import { linesOf } from './text-lines.ts';

export interface DelimitedRow {
  /** Where it ends, counted from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** Text that is handed to the parser at once. */
const PART_CHARACTERS = 2 ** 16;
const MAX_ROW_CHARACTERS = 2 ** 26;

/** Every row has as many cells as the first. Cells may be quoted, and then hold anything. */
export async function* delimitedRows(path: string): AsyncGenerator<DelimitedRow> {
  const delimiter = delimiterOf(path);
  const parser = parse({ delimiter, info: true, skip_empty_lines: true, max_record_size: MAX_ROW_CHARACTERS });
  const source = Readable.from(partsOf(path));
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      yield { line: info.lines, cells: record };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new InputError(
      `${path} line ${error['lines']}`,
      `is not ${delimiter === '\t' ? 'TSV' : 'CSV'} (${error.message})`,
      'expected rows of as many cells as the first, quoted where a cell holds quotes or a delimiter',
      'correct the row',
    );
  } finally {
    source.destroy();
    parser.destroy();
  }
}

/** By the name where it says it, else what the first line has more of. */
function delimiterOf(path: string): ',' | '\t' {
  const extension = extname(path).toLowerCase();
  if (extension === '.tsv' || extension === '.tab') return '\t';
  if (extension === '.csv') return ',';
  for (const line of linesOf(path)) return delimiterIn(line);
  return ',';
}

export function delimiterIn(line: string): ',' | '\t' {
  return line.split('\t').length > line.split(',').length ? '\t' : ',';
}

function* partsOf(path: string): Generator<string> {
  let part = '';
  for (const line of linesOf(path)) {
    part += `${line}\n`;
    if (part.length < PART_CHARACTERS) continue;
    yield part;
    part = '';
  }
  if (part !== '') yield part;
}
