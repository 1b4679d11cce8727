// A transcript: everything a simulation asked and was answered, as NDJSON. The first line says what was played, each
// further line is a round. It holds no times, so that the same simulation writes the same bytes.
//
// A round's labels are those of the round before and the ones named here ("labels": "added"), or, where a protocol takes
// labels back, these alone ("all").

import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { AsideFile } from './aside-file.ts';
import { ActorError } from './protocol.ts';

const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Items = Type.Array(Type.Integer({ minimum: 0, maximum: 2 ** 32 - 2 }));
const Parameters = Type.Record(Type.String(), Type.Union([Type.Number(), Type.String(), Type.Boolean()]));

const HeaderSchema = Type.Object({
  kind: Type.Literal('farsight-transcript'),
  version: Type.Literal(1),
  protocol: Type.String(),
  parameters: Parameters,
  k: Type.Integer({ minimum: 1 }),
  rounds: Type.Integer({ minimum: 1 }),
  seed: Count,
  collections: Type.Array(Type.Object({ generation: Type.String(), items: Type.Integer({ minimum: 1 }) }), {
    minItems: 1,
  }),
  actors: Type.Array(Type.String()),
  runs: Type.Array(Type.Object({ system: Type.String(), parameters: Parameters }), { minItems: 1 }),
});

const RoundSchema = Type.Object({
  /** Place in the header's runs and collections. */
  run: Count,
  collection: Count,
  actor: Type.String(),
  /** Which of the actor's starts. */
  start: Count,
  round: Type.Integer({ minimum: 1 }),
  seed: Count,
  labels: Type.Union([Type.Literal('added'), Type.Literal('all')]),
  positive: Items,
  negative: Items,
  suggested: Items,
});

export type TranscriptHeader = Static<typeof HeaderSchema>;
export type TranscriptRound = Static<typeof RoundSchema>;

const headerChecker = Compile(HeaderSchema);
const roundChecker = Compile(RoundSchema);

/** Longest line: 100,000 labels of ten digits. */
const MAX_LINE_CHARS = 1 << 21;

export function writeHeader(
  file: AsideFile,
  header: Omit<TranscriptHeader, 'kind' | 'version' | 'actors'> & {
    readonly actors: readonly string[];
  },
): void {
  const { protocol, parameters, k, rounds, seed, collections, actors, runs } = header;
  const named = actors.map((path) => basename(path));
  const line = { kind: 'farsight-transcript', version: 1, protocol, parameters, k, rounds, seed, collections };
  file.write(`${JSON.stringify({ ...line, actors: named, runs })}\n`);
}

/** Which session a round is of. */
export type SessionKey = Pick<TranscriptRound, 'run' | 'collection' | 'actor' | 'start'>;

/** Writes the rounds of one session. */
export class SessionWriter {
  readonly #file: AsideFile;
  readonly #key: SessionKey;
  #round = 0;
  #positive: readonly number[] = [];
  #negative: readonly number[] = [];

  constructor(file: AsideFile, key: SessionKey) {
    this.#file = file;
    this.#key = key;
  }

  write(seed: number, positive: readonly number[], negative: readonly number[], suggested: Uint32Array): void {
    this.#round++;
    const grown = startsWith(positive, this.#positive) && startsWith(negative, this.#negative);
    const line: TranscriptRound = {
      ...this.#key,
      round: this.#round,
      seed,
      labels: grown ? 'added' : 'all',
      positive: grown ? positive.slice(this.#positive.length) : [...positive],
      negative: grown ? negative.slice(this.#negative.length) : [...negative],
      suggested: Array.from(suggested),
    };
    this.#file.write(`${JSON.stringify(line)}\n`);
    this.#positive = [...positive];
    this.#negative = [...negative];
  }
}

/** A round as it was asked: with all labels that were given. */
export interface ReadRound {
  readonly key: SessionKey;
  readonly round: number;
  readonly seed: number;
  readonly positive: readonly number[];
  readonly negative: readonly number[];
  readonly suggested: readonly number[];
}

/** A transcript being read: the header, then its rounds in order. Throws ActorError with the line that does not fit. */
export async function openTranscript(
  path: string,
): Promise<{ readonly header: TranscriptHeader; readonly rounds: AsyncGenerator<ReadRound> }> {
  const lines = checkedLines(path);
  const first = await lines.next();
  if (first.done) throw new ActorError(`${path}: is empty; expected a transcript of farsight simulate --save`);
  const header = first.value.content;
  if (!headerChecker.Check(header)) {
    const [error] = headerChecker.Errors(header);
    throw new ActorError(
      `${path}: is no transcript of farsight simulate --save (${error?.instancePath} ${error?.message})`,
    );
  }
  return { header, rounds: checkedRounds(path, header, lines) };
}

interface Line {
  readonly number: number;
  readonly content: unknown;
}

async function* checkedLines(path: string): AsyncGenerator<Line> {
  let number = 0;
  const input = createReadStream(path);
  const failed = new Promise<never>((_, reject) => input.once('error', reject));
  failed.catch(() => {});
  try {
    await Promise.race([failed, new Promise((resolve) => input.once('open', resolve))]);
  } catch (error) {
    throw new ActorError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++;
      if (text.length > MAX_LINE_CHARS) {
        throw new ActorError(
          `${path}:${number}: a line of ${text.length} characters, at most ${MAX_LINE_CHARS} are read`,
        );
      }
      let content: unknown;
      try {
        content = JSON.parse(text);
      } catch (error) {
        throw new ActorError(`${path}:${number}: ${(error as Error).message}; is the file cut?`);
      }
      yield { number, content };
    }
  } finally {
    input.destroy();
  }
}

async function* checkedRounds(
  path: string,
  header: TranscriptHeader,
  lines: AsyncGenerator<Line>,
): AsyncGenerator<ReadRound> {
  let before: ReadRound | null = null;
  for await (const { number, content } of lines) {
    if (!roundChecker.Check(content)) {
      const [error] = roundChecker.Errors(content);
      throw new ActorError(`${path}:${number}: ${error?.instancePath} ${error?.message}; expected a round`);
    }
    const collection = header.collections[content.collection];
    if (header.runs[content.run] === undefined || collection === undefined) {
      throw new ActorError(
        `${path}:${number}: run ${content.run} or collection ${content.collection} is not in line 1`,
      );
    }
    const past = [content.positive, content.negative, content.suggested]
      .flat()
      .find((item) => item >= collection.items);
    if (past !== undefined) {
      throw new ActorError(`${path}:${number}: item ${past}, the collection has ${collection.items} items`);
    }
    before = follow(`${path}:${number}`, before, content);
    yield before;
  }
}

/** Adds up the labels of a session; its rounds stand one after another, from 1. */
function follow(where: string, before: ReadRound | null, line: TranscriptRound): ReadRound {
  const { run, collection, actor, start, round, seed, suggested } = line;
  const key = { run, collection, actor, start };
  const goesOn = before !== null && before.round === round - 1 && JSON.stringify(before.key) === JSON.stringify(key);
  if (round > 1 && !goesOn)
    throw new ActorError(`${where}: round ${round} of ${actor} does not follow its round ${round - 1}`);
  const earlier = round > 1 && line.labels === 'added' ? before : null;
  return {
    key,
    round,
    seed,
    positive: [...(earlier?.positive ?? []), ...line.positive],
    negative: [...(earlier?.negative ?? []), ...line.negative],
    suggested,
  };
}

function startsWith(list: readonly number[], head: readonly number[]): boolean {
  return list.length >= head.length && head.every((item, i) => item === list[i]);
}
