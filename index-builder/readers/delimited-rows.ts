// The rows of a CSV or TSV file, streamed. CSV is RFC 4180: a cell that is quoted as a whole holds anything, line breaks too.
// A row of TSV is a line and its cells hold neither tabs nor line breaks; of a cell that is quoted as a whole the quotes go,
// and other quotation marks are text, as titles have them.

import { extname } from 'node:path';
import { InputError, type OnRead } from './reader.ts';
import { linesOf } from './text-lines.ts';

export interface DelimitedRow {
  /** Where it ends, counted from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

const MAX_ROW_CHARACTERS = 2 ** 26;

/** Every row has as many cells as the first; empty lines are passed over. */
export function* delimitedRows(path: string, onRead?: OnRead): Generator<DelimitedRow> {
  const isTabbed = delimiterOf(path) === '\t';
  const name = isTabbed ? 'TSV' : 'CSV';
  let columns = 0;
  for (const { line, text } of isTabbed ? tabbedRecords(path, onRead) : quotedRecords(path, onRead)) {
    const cells = isTabbed ? text.split('\t').map(unquoted) : cellsOf(text);
    if (columns === 0) columns = cells?.length ?? 0;
    if (cells === null || cells.length !== columns) {
      throw new InputError(
        `${path} line ${line}`,
        cells === null ? `is not ${name} (a quotation mark within a cell)` : `is not ${name} (${cells.length} cells)`,
        isTabbed
          ? `expected rows of as many cells as the first, ${columns}, without tabs and line breaks in them`
          : `expected rows of as many cells as the first, ${columns || 1}, quoted where a cell holds quotes or a comma`,
        isTabbed ? 'correct the row, or save the table as CSV' : 'correct the row',
      );
    }
    yield { line, cells };
  }
}

interface Record {
  readonly line: number;
  readonly text: string;
}

function* tabbedRecords(path: string, onRead?: OnRead): Generator<Record> {
  let line = 0;
  for (const text of linesOf(path, onRead)) {
    line++;
    if (text !== '') yield { line, text };
  }
}

/** Lines belong together until their quotation marks are even in number. */
function* quotedRecords(path: string, onRead?: OnRead): Generator<Record> {
  let line = 0;
  let parts: string[] = [];
  let opened = 0;
  let characters = 0;
  let isOpen = false;
  for (const text of linesOf(path, onRead)) {
    line++;
    if (!isOpen && !text.includes('"')) {
      if (text !== '') yield { line, text };
      continue;
    }
    if (!isOpen) opened = line;
    if (hasOddQuotes(text)) isOpen = !isOpen;
    parts.push(text);
    characters += text.length;
    if (isOpen && characters > MAX_ROW_CHARACTERS) break;
    if (isOpen) continue;
    yield { line, text: parts.join('\n') };
    parts = [];
    characters = 0;
  }
  if (!isOpen) return;
  throw new InputError(
    `${path} line ${opened}`,
    `is not CSV (a quotation mark does not close within ${characters > MAX_ROW_CHARACTERS ? `${characters} characters` : 'the file'})`,
    'expected rows of as many cells as the first, quoted where a cell holds quotes or a comma',
    'correct the row',
  );
}

/** Null where a quotation mark stands in a cell that is not quoted as a whole. */
function cellsOf(text: string): string[] | null {
  if (!text.includes('"')) return text.split(',');
  const cells: string[] = [];
  for (let at = 0; at <= text.length; ) {
    let end: number;
    if (text[at] === '"') {
      end = closingQuote(text, at + 1) + 1;
      if (end === 0 || (end < text.length && text[end] !== ',')) return null;
      cells.push(text.slice(at + 1, end - 1).replaceAll('""', '"'));
    } else {
      const comma = text.indexOf(',', at);
      end = comma < 0 ? text.length : comma;
      const cell = text.slice(at, end);
      if (cell.includes('"')) return null;
      cells.push(cell);
    }
    at = end + 1;
  }
  return cells;
}

/** Of a cell whose content begins at `from`; doubled marks are text. -1 where there is none. */
function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at;
  }
  return -1;
}

function hasOddQuotes(text: string): boolean {
  let odd = false;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) odd = !odd;
  return odd;
}

/** Only a cell that some program quoted as a whole, with the marks in it doubled. */
function unquoted(cell: string): string {
  if (!cell.startsWith('"') || closingQuote(cell, 1) !== cell.length - 1) return cell;
  return cell.slice(1, -1).replaceAll('""', '"');
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
