// What a filter over the items' metadata may say.

import { Type } from 'typebox';
import { FILTER_RANGES } from '../round-request.ts';
import { closed } from './schemas.ts';

const bound = (description: string) => Type.Optional(Type.Number({ description }));

/** The filter of a round. */
export const FilterSchema = Type.Object(
  {
    must: Type.Array(
      Type.Object(
        {
          field: Type.String({
            description: 'of the metadata',
            minLength: FILTER_RANGES.fieldChars[0],
            maxLength: FILTER_RANGES.fieldChars[1],
          }),
          range: Type.Optional(
            Type.Object(
              { gte: bound('at least'), gt: bound('more than'), lte: bound('at most'), lt: bound('less than') },
              { ...closed, minProperties: 1, description: 'the value is a number within these bounds' },
            ),
          ),
          in: Type.Optional(
            Type.Array(
              Type.Unsafe<string | number | boolean | null>({ type: ['string', 'number', 'boolean', 'null'] }),
              {
                description: 'the value is one of these',
                minItems: FILTER_RANGES.values[0],
                maxItems: FILTER_RANGES.values[1],
              },
            ),
          ),
        },
        { ...closed, description: 'range or in; of a list of values, one must meet it' },
      ),
      { minItems: FILTER_RANGES.rules[0], maxItems: FILTER_RANGES.rules[1], description: 'all of them hold' },
    ),
  },
  { ...closed, description: 'which items may be suggested, by their metadata (default all)' },
);
