// The result file of a search: what was searched, and the score of every session played so far. A search that was
// interrupted goes on from it; it holds no times, so that the same search writes the same bytes.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { writeAside } from '../actors/aside-file.ts';
import { ActorError } from '../actors/protocol.ts';

const Scores = Type.Array(Type.Number());
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const closed = { additionalProperties: false } as const;

const Search = Type.Object(
  {
    protocol: Type.String(),
    metric: Type.String(),
    collection: Type.String(),
    generation: Type.String(),
    actors: Type.String(),
    /** SHA-256 of names, relevant items and starts. */
    actors_hash: Type.String(),
    rounds: Count,
    k: Count,
    starts: Type.Union([Count, Type.Null()]),
    seed: Count,
    settings: Count,
    budget: Count,
    space: Type.Record(Type.String(), Type.Array(Type.String())),
  },
  closed,
);

const Tuning = Type.Object(
  {
    kind: Type.Literal('farsight-tuning'),
    version: Type.Literal(1),
    search: Search,
    choosing: Type.Array(Type.String()),
    reporting: Type.Array(Type.String()),
    /** By setting, as --system of simulate takes it: scores of the choosing sessions, in order. */
    scores: Type.Record(Type.String(), Scores),
    /** The same of the reporting sessions, of the defaults and the best. */
    reported: Type.Record(Type.String(), Scores),
    result: Type.Union([Type.Null(), Type.Unknown()]),
  },
  closed,
);

export type Search = Static<typeof Search>;
export type TuningRecord = Static<typeof Tuning>;

const checker = Compile(Tuning);

/** Two thousand sessions take 40 kB. */
const MAX_BYTES = 1 << 28;

/** What an earlier run of the same search left, or null. Throws ActorError when the file is anything else. */
export function readTuning(path: string, search: Search): TuningRecord | null {
  if (!existsSync(path)) return null;
  let content: unknown;
  try {
    const { size } = statSync(path);
    if (size > MAX_BYTES) throw new RangeError(`has ${size} bytes, a search has at most ${MAX_BYTES}`);
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ActorError(`${path}: cannot be read (${(error as Error).message}); name another --out or remove it`);
  }
  if (!checker.Check(content)) {
    throw new ActorError(`${path}: is no result of farsight tune; name another --out or remove it`);
  }
  const { search: before } = content;
  for (const name of Object.keys(search) as (keyof Search)[]) {
    if (JSON.stringify(before[name]) === JSON.stringify(search[name])) continue;
    const what = (value: unknown): string => (typeof value === 'object' && value !== null ? 'another' : `${value}`);
    throw new ActorError(
      `${path}: is of another search, ${name} was ${what(before[name])} and is ${what(search[name])}; ` +
        'name another --out or remove it',
    );
  }
  return content;
}

export function writeTuning(path: string, record: TuningRecord): void {
  writeAside(path, `${JSON.stringify(record, null, 2)}\n`);
}
