// Topics of the lsc evaluation: [{ topic, relevant, target, starts }], each start five items to label positive and then
// five to label negative.

import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { type Actor, ActorError, type Plan } from './protocol.ts';

const Item = Type.Integer({ minimum: 0, maximum: 2 ** 32 - 2 });

const Topics = Type.Array(
  Type.Object({
    topic: Type.Integer(),
    relevant: Type.Array(Item, { minItems: 1 }),
    target: Type.Record(Type.String({ pattern: '^[0-9]{1,9}$' }), Type.Number()),
    starts: Type.Array(Type.Array(Item), { minItems: 1 }),
  }),
  { minItems: 1 },
);

const checker = Compile(Topics);

/** Whether the content of a file means to be topics. */
export function isTopics(content: unknown): content is readonly unknown[] {
  return Array.isArray(content);
}

/** Positives of a start need not be relevant: they are what looks like the topic at first. */
export function readTopics(
  file: string,
  content: readonly unknown[],
  items: number,
  { positives, negatives }: Plan['start'],
): readonly Actor[] {
  const topics: unknown = content;
  if (!checker.Check(topics)) {
    const [error] = checker.Errors(topics);
    throw new ActorError(`${file}: ${error?.instancePath} ${error?.message}; expected topics as in lsc41k/topics.json`);
  }
  return topics.map(({ topic, relevant, target, starts }) => {
    const set = new Set(relevant);
    for (const item of [...relevant, ...starts.flat()]) {
      if (item >= items) throw new ActorError(`${file}: topic ${topic} has item ${item}, the index has ${items} items`);
    }
    return {
      name: `topic ${topic}`,
      relevant: set.size,
      isRelevant: (item) => set.has(item),
      target,
      starts: starts.map((start, s) => {
        if (start.length !== positives + negatives || new Set(start).size !== start.length) {
          throw new ActorError(
            `${file}: start ${s} of topic ${topic} has ${new Set(start).size} items, expected ${positives} positives ` +
              `and ${negatives} negatives; topics are for --protocol lsc`,
          );
        }
        return {
          seed: s,
          positive: Uint32Array.from(start.slice(0, positives)),
          negative: Uint32Array.from(start.slice(positives)),
        };
      }),
    };
  });
}
