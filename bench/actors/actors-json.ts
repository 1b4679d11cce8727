// The actors of `farsight generate`: a JSON file of actors and their starts, and beside it one byte per item that says
// whose it is (0: nobody's). Small sets may list their relevant items in the file itself.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { type Actor, ActorError, type ActorSet, type Plan, type Start } from './protocol.ts';

const Item = Type.Integer({ minimum: 0, maximum: 2 ** 32 - 2 });

const StartJson = Type.Object({
  seed: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  positive: Type.Array(Item),
  negative: Type.Array(Item),
});

const ActorJson = Type.Object({
  name: Type.String({ minLength: 1 }),
  label: Type.Optional(Type.Integer({ minimum: 1, maximum: 255 })),
  /** Number of relevant items. */
  relevant: Type.Optional(Type.Integer({ minimum: 1 })),
  relevant_items: Type.Optional(Type.Array(Item, { minItems: 1 })),
  starts: Type.Array(StartJson, { minItems: 1 }),
});

const ActorsJson = Type.Object({
  kind: Type.Literal('farsight-actors'),
  version: Type.Literal(1),
  protocol: Type.Optional(Type.String()),
  items: Type.Integer({ minimum: 1 }),
  seed: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  /** File of one byte per item, relative to this one. */
  labels: Type.Optional(Type.String({ minLength: 1 })),
  actors: Type.Array(ActorJson, { minItems: 1 }),
});

export type ActorsFile = Static<typeof ActorsJson>;

const checker = Compile(ActorsJson);

export function readActorsJson(file: string, content: unknown, items: number, start: Plan['start']): ActorSet {
  if (!checker.Check(content)) {
    const [error] = checker.Errors(content);
    const where = error?.instancePath === '' ? 'the file' : error?.instancePath;
    throw new ActorError(`${file}: ${where} ${error?.message}; expected actors as farsight generate writes them`);
  }
  if (content.items !== items) {
    throw new ActorError(`${file}: is of a collection of ${content.items} items, this index has ${items}`);
  }
  const labels = content.labels === undefined ? null : readLabels(join(dirname(file), content.labels), items);
  const actors = content.actors.map((actor) => {
    const relevance = relevanceOf(file, actor, labels, items);
    const starts = actor.starts.map((labelled, s) => {
      checkStart(`${file}: start ${s} of ${actor.name}`, labelled, relevance, items);
      return cut(labelled, start);
    });
    return { name: actor.name, ...relevance, starts };
  });
  return { file, seed: content.seed, actors };
}

/** A start with at most the labels that the protocol begins with. */
function cut(
  { seed, positive, negative }: ActorsFile['actors'][number]['starts'][number],
  start: Plan['start'],
): Start {
  return {
    seed,
    positive: Uint32Array.from(positive.slice(0, start.positives)),
    negative: Uint32Array.from(negative.slice(0, start.negatives)),
  };
}

interface Labels {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Items of each label. */
  readonly counts: Uint32Array;
}

function readLabels(path: string, items: number): Labels {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new ActorError(
      `${path}: cannot be read (${(error as NodeJS.ErrnoException).code}); it lies beside the actors`,
    );
  }
  if (bytes.length !== items) {
    throw new ActorError(`${path}: has ${bytes.length} bytes, expected one for each of the ${items} items`);
  }
  const counts = new Uint32Array(256);
  for (let item = 0; item < bytes.length; item++) (counts[bytes[item] as number] as number)++;
  return { path, bytes, counts };
}

function relevanceOf(
  file: string,
  { name, label, relevant, relevant_items: listed }: ActorsFile['actors'][number],
  labels: Labels | null,
  items: number,
): Pick<Actor, 'relevant' | 'isRelevant'> {
  if ((label === undefined) === (listed === undefined) || (label !== undefined && labels === null)) {
    throw new ActorError(`${file}: ${name} needs either a label of the labels file or relevant_items`);
  }
  let relevance: Pick<Actor, 'relevant' | 'isRelevant'>;
  if (listed !== undefined) {
    const set = new Set(listed);
    const past = listed.find((item) => item >= items);
    if (past !== undefined) throw new ActorError(`${file}: ${name} has item ${past}, the index has ${items} items`);
    relevance = { relevant: set.size, isRelevant: (item) => set.has(item) };
  } else {
    const { bytes, counts } = labels as Labels;
    relevance = { relevant: counts[label as number] as number, isRelevant: (item) => bytes[item] === label };
  }
  if (relevant !== undefined && relevant !== relevance.relevant) {
    const found = `${relevance.relevant} ${label === undefined ? 'are listed' : `have label ${label}`}`;
    throw new ActorError(
      `${file}: ${name} says ${relevant} relevant items, ${found}; the files do not belong together`,
    );
  }
  return relevance;
}

function checkStart(
  where: string,
  { positive, negative }: { readonly positive: readonly number[]; readonly negative: readonly number[] },
  { isRelevant }: Pick<Actor, 'isRelevant'>,
  items: number,
): void {
  const seen = new Set<number>();
  for (const [kind, list] of [
    ['positive', positive],
    ['negative', negative],
  ] as const) {
    for (const item of list) {
      if (item >= items) throw new ActorError(`${where}: item ${item}, the index has ${items} items`);
      if (seen.has(item)) throw new ActorError(`${where}: item ${item} is there twice`);
      if (isRelevant(item) !== (kind === 'positive')) {
        throw new ActorError(`${where}: item ${item} is ${kind} and ${kind === 'positive' ? 'not ' : ''}relevant`);
      }
      seen.add(item);
    }
  }
}
