// One item of a collection: its key, metadata, stored features and picture.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { Problem } from '../errors.ts';
import type { Collection, Modality } from '../index/open.ts';
import { native } from '../native.ts';
import { findCollection, findItem, type RouteOptions } from './route.ts';
import { CollectionParams, closed, mediaTypes, problemAnswers } from './schemas.ts';

const pictureTypes: readonly string[] = ['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/svg+xml'];

/** The number of an item, or its key in a collection with keys. */
const ItemParams = (maxKeyChars: number) =>
  Type.Object(
    {
      collection: CollectionParams.properties.collection,
      id: Type.String({ minLength: 1, maxLength: maxKeyChars, description: 'item number, or key; see `by`' }),
    },
    closed,
  );

const By = Type.Optional(
  Type.Enum(['number', 'key'], {
    description: 'how the id is meant; without it, decimal digits are an item number and anything else is a key',
  }),
);

const Features = Type.Object(
  {
    ids: Type.Optional(Type.Array(Type.Integer(), { description: 'dimensions of the values; absent when dense' })),
    values: Type.Array(Type.Number()),
  },
  closed,
);

const ItemSchema = Type.Object(
  {
    id: Type.Integer(),
    key: Type.Optional(Type.String()),
    metadata: Type.Optional(Type.Object({}, { additionalProperties: true })),
    thumbnail: Type.Optional(Type.String({ description: 'address of the picture' })),
    features: Type.Optional(
      Type.Record(Type.String(), Features, { description: 'the vectors the index holds, by modality' }),
    ),
  },
  closed,
);

/** GET /collections/{collection}/items/{id}. */
export const itemRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { collections, config }) => {
  app.get(
    '/collections/:collection/items/:id',
    {
      schema: {
        tags: ['items'],
        summary: 'One item',
        produces: [...mediaTypes],
        params: ItemParams(config.maxKeyChars),
        querystring: Type.Object(
          {
            by: By,
            features: Type.Optional(Type.Enum(['true', 'false'], { description: 'whether to give feature values' })),
          },
          closed,
        ),
        response: { 200: ItemSchema, ...problemAnswers(400, 404, 406, 422, 429) },
      },
    },
    async ({ params, query }): Promise<Static<typeof ItemSchema>> => {
      const collection = findCollection(collections, params.collection);
      const id = findItem(collection, params.id, query.by);
      const { keys, metadata, thumbnails } = collection;
      const record = metadata?.get(id);
      const picture = (thumbnails?.get(id).length ?? 0) > 0;
      return {
        id,
        ...(keys === null ? {} : { key: keys.keyOf(id) }),
        ...(record === undefined || record.length === 0 ? {} : { metadata: parseRecord(record) }),
        ...(picture ? { thumbnail: thumbnailUrl(params.collection, collection, id) } : {}),
        ...(query.features === 'true' ? { features: featuresOf(collection, id) } : {}),
      };
    },
  );
};

/** GET /collections/{collection}/items/{id}/thumbnail: the picture as it was given to the builder. */
export const thumbnailRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { collections, config }) => {
  app.get(
    '/collections/:collection/items/:id/thumbnail',
    {
      schema: {
        tags: ['items'],
        summary: 'The picture of an item',
        params: ItemParams(config.maxKeyChars),
        querystring: Type.Object(
          {
            by: By,
            generation: Type.Optional(
              Type.String({ maxLength: 64, description: 'generation of the index; with it the answer never changes' }),
            ),
          },
          closed,
        ),
        response: {
          200: {
            description: 'The picture',
            content: Object.fromEntries(pictureTypes.map((type) => [type, { schema: { type: 'string' } }])),
          },
          304: Type.Unsafe<undefined>({ description: 'The picture is the one of If-None-Match', type: 'null' }),
          ...problemAnswers(400, 404, 422, 429),
        },
      },
    },
    async ({ params, query, headers }, reply) => {
      const collection = findCollection(collections, params.collection);
      const id = findItem(collection, params.id, query.by);
      const bytes = collection.thumbnails?.get(id);
      if (bytes === undefined || bytes.length === 0) throw new Problem('no-thumbnail', `item ${id} has no thumbnail`);
      const etag = `"${collection.generation}-${id}"`;
      const lasting = query.generation === collection.generation;
      reply.header('etag', etag);
      reply.header('cache-control', lasting ? 'public, max-age=31536000, immutable' : 'public, no-cache');
      if (matches(headers['if-none-match'], etag)) return reply.code(304).send();
      const type = pictureType(bytes);
      if (type === 'image/svg+xml') {
        // A drawing may carry scripts and references: opened by itself, it must reach nothing.
        reply.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; sandbox");
      }
      return reply.type(type).send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    },
  );
};

/** The builder checked the record, so what it holds is a JSON object. */
function parseRecord(record: Uint8Array): Record<string, unknown> {
  return JSON.parse(Buffer.from(record).toString('utf8')) as Record<string, unknown>;
}

function thumbnailUrl(name: string, { generation }: Collection, id: number): string {
  return `/v1/collections/${encodeURIComponent(name)}/items/${id}/thumbnail?generation=${generation}`;
}

function featuresOf(collection: Collection, id: number): Record<string, Static<typeof Features>> {
  const item = Uint32Array.of(id);
  return Object.fromEntries([...collection.modalities].map(([name, modality]) => [name, decode(modality, item)]));
}

function decode({ manifest, cells }: Modality, item: Uint32Array): Static<typeof Features> {
  const { ratio, dims } = manifest;
  const values = new Float32Array(ratio?.items.features ?? dims);
  const ids = new Uint32Array(ratio?.items.features ?? 0);
  native.decodeItems(cells, item, ids, values);
  if (ratio === undefined) return { values: [...values] };
  const held = [...values.keys()].filter((i) => values[i] !== 0);
  return { ids: held.map((i) => ids[i] as number), values: held.map((i) => values[i] as number) };
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}

/** The media type of a picture, from its first bytes. */
function pictureType(bytes: Uint8Array): string {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 16)).toString('latin1');
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (start.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (start.startsWith('GIF8')) return 'image/gif';
  if (start.startsWith('RIFF') && start.slice(8, 12) === 'WEBP') return 'image/webp';
  return /^(\xef\xbb\xbf)?\s*<(svg|\?xml|!)/i.test(start) ? 'image/svg+xml' : 'application/octet-stream';
}
