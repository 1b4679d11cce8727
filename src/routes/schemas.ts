// The schemas that routes share.

import { Type } from 'typebox';
import { ProblemSchema, problemType } from '../errors.ts';
import { msgpackType } from '../msgpack.ts';

/** Of an object that has no other fields. */
export const closed = { additionalProperties: false };
/** Of a seed. */
export const maxSeed = Number.MAX_SAFE_INTEGER;
/** Of the weight of anything. */
export const maxWeight = 1000;

/** Both formats, for the description of a route that speaks them. */
export const mediaTypes: readonly string[] = ['application/json', msgpackType];

/** The answers of a route that fails, by status, for its description; app.ts writes them. */
export function problemAnswers<Status extends number>(...statuses: Status[]): Record<Status, typeof problemAnswer> {
  return Object.fromEntries(statuses.map((status) => [status, problemAnswer])) as Record<Status, typeof problemAnswer>;
}

/** The path parameter of everything below a collection. */
export const CollectionParams = Type.Object(
  { collection: Type.String({ minLength: 1, maxLength: 64, description: 'name of a collection' }) },
  closed,
);

const problemAnswer = {
  description: 'Problem details (RFC 9457)',
  content: { [problemType]: { schema: ProblemSchema } },
};

/** An item number or a key. Its range is that of the collection, so it is checked there. */
export const itemId = (maxKeyChars: number) =>
  Type.Unsafe<number | string>({ type: ['integer', 'string'], minLength: 1, maxLength: maxKeyChars });

/** A whole number with its range; the default is documentation, `toRound` applies it. */
export const whole = (description: string, standard: number, minimum: number, maximum: number) =>
  Type.Optional(Type.Integer({ description: `${description} (default ${standard})`, minimum, maximum }));
