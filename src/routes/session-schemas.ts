// What requests about sessions say and their answers hold.

import { type Static, Type } from 'typebox';
import type { ServeConfig } from '../config.ts';
import { SuggestAnswer, suggestBody } from './round-schemas.ts';
import { closed, itemId, maxSeed } from './schemas.ts';

/** An answer that has nothing to say. */
export const Done = Type.Unsafe<undefined>({ description: 'Done', type: 'null' });

/** The path parameter of everything below a session. */
export const SessionParams = Type.Object(
  { session: Type.String({ minLength: 1, maxLength: 64, description: 'id of a session' }) },
  closed,
);

/** The same with an item, by number or by key. */
export const LabelParams = Type.Object(
  {
    session: Type.String({ minLength: 1, maxLength: 64, description: 'id of a session' }),
    id: Type.String({ minLength: 1, description: 'item number, or key' }),
  },
  closed,
);

/** `?by=` of an address that names an item. */
export const LabelQuery = Type.Object(
  { by: Type.Optional(Type.Enum(['number', 'key'], { description: 'what the id is (default: by its form)' })) },
  closed,
);

/** Settings of a session: the fields of a stateless round besides its items. */
export const sessionBody = (config: ServeConfig) => {
  const { labels: _labels, exclude: _exclude, ...settings } = suggestBody(config).properties;
  return Type.Object(settings, { ...closed, description: 'what its rounds take when they do not say otherwise' });
};

/** The body of a round of a session: what changed, and what this round does otherwise. */
export const roundBody = (config: ServeConfig) => {
  const ids = (description: string) => Type.Optional(Type.Array(itemId(config.maxKeyChars), { description }));
  const { labels: _labels, exclude: _exclude, ...settings } = suggestBody(config).properties;
  return Type.Object(
    {
      labels: Type.Optional(
        Type.Object(
          {
            positive: ids('items that are relevant, whatever they were labelled before'),
            negative: ids('items that are irrelevant, whatever they were labelled before'),
            removed: ids('items that lose their label'),
          },
          { ...closed, description: 'labels that are new or changed' },
        ),
      ),
      exclude: ids('items not to suggest, in this round and all that follow'),
      resurface: Type.Optional(
        Type.Boolean({ description: 'unlabelled items suggested before may come again (default false)' }),
      ),
      ...settings,
    },
    closed,
  );
};

/** All labels of a session. */
export const labelsBody = (config: ServeConfig) => {
  const ids = (description: string) => Type.Optional(Type.Array(itemId(config.maxKeyChars), { description }));
  return Type.Object(
    { positive: ids('relevant items: numbers or keys'), negative: ids('irrelevant items: numbers or keys') },
    closed,
  );
};

export const LabelBody = Type.Object({ label: Type.Enum(['positive', 'negative']) }, closed);

export const LabelSchema = Type.Object(
  {
    id: Type.Integer(),
    key: Type.Optional(Type.String()),
    label: Type.String({ description: 'positive or negative' }),
  },
  closed,
);

export const LabelsSchema = Type.Object(
  { labels: Type.Array(LabelSchema, { description: 'in the order in which they were given' }) },
  closed,
);

export const moreQuery = (config: ServeConfig) =>
  Type.Object(
    {
      cursor: Type.String({ minLength: 1, maxLength: 200, description: '`more` of the answer before' }),
      // Text in an address: whole numbers of the range of k.
      k: Type.Optional(
        Type.String({
          pattern: '^[1-9][0-9]{0,6}$',
          description: `suggestions wanted, 1 to ${config.maxK} (default that of the round)`,
        }),
      ),
    },
    closed,
  );

/** Where a session stands. */
export const SessionSchema = Type.Object(
  {
    id: Type.String(),
    url: Type.String(),
    collection: Type.String(),
    generation: Type.String({ description: 'of the index it belongs to' }),
    revision: Type.Integer({ description: 'changes so far, which is N of the ETag "rN"' }),
    rounds: Type.Integer({ description: 'rounds in effect' }),
    positives: Type.Integer(),
    negatives: Type.Integer(),
    seen: Type.Integer({ description: 'items suggested so far' }),
    excluded: Type.Integer(),
    settings: Type.Object({}, { additionalProperties: true }),
    seed: Type.Integer({ minimum: 0, maximum: maxSeed }),
    events: Type.Integer(),
    bytes: Type.Integer({ description: 'of its events' }),
    created: Type.String({ description: 'time, ISO 8601' }),
    changed: Type.String({ description: 'time, ISO 8601' }),
    expires: Type.Optional(Type.String({ description: 'time, ISO 8601; without further changes' })),
    from: Type.Optional(
      Type.Object(
        { session: Type.String(), revision: Type.Integer() },
        { ...closed, description: 'where it was forked' },
      ),
    ),
  },
  closed,
);

/** The answer of a round of a session: that of a stateless one, and where the session stands. */
export const SessionAnswer = Type.Object(
  {
    ...SuggestAnswer.properties,
    session: Type.Object(
      { id: Type.String(), revision: Type.Integer(), round: Type.Integer(), page: Type.Integer() },
      { ...closed, description: 'page 0 is the round itself' },
    ),
    more: Type.Optional(Type.String({ description: 'cursor of the next page of this ranking' })),
  },
  closed,
);

export type SessionBody = Static<ReturnType<typeof sessionBody>>;
export type RoundBody = Static<ReturnType<typeof roundBody>>;
export type SessionReply = Static<typeof SessionAnswer>;
