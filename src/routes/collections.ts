// The collections that are served, and what is known about each.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import type { Collection } from '../index/open.ts';
import { findCollection, type RouteOptions } from './route.ts';
import { CollectionParams, mediaTypes, problemAnswers } from './schemas.ts';

const closed = { additionalProperties: false };

const CollectionSchema = Type.Object(
  {
    name: Type.String(),
    items: Type.Integer(),
    generation: Type.String({ description: 'content hash: equal generations give equal answers' }),
    modalities: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          codec: Type.String(),
          dims: Type.Integer(),
          normalize: Type.Boolean(),
          clusters: Type.Integer(),
        },
        closed,
      ),
    ),
    keys: Type.Boolean({ description: 'whether items have keys' }),
    metadata: Type.Boolean(),
    thumbnails: Type.Boolean(),
    url: Type.String(),
  },
  closed,
);

/** GET /collections and /collections/{collection}. */
export const collectionRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { collections }) => {
  app.get(
    '/collections',
    {
      schema: {
        tags: ['collections'],
        summary: 'The collections served',
        produces: [...mediaTypes],
        response: {
          200: Type.Object({ collections: Type.Array(CollectionSchema) }, closed),
          ...problemAnswers(406, 429),
        },
      },
    },
    async () => ({ collections: [...collections].map(([name, collection]) => describe(name, collection)) }),
  );

  app.get(
    '/collections/:collection',
    {
      schema: {
        tags: ['collections'],
        summary: 'One collection',
        produces: [...mediaTypes],
        params: CollectionParams,
        response: { 200: CollectionSchema, ...problemAnswers(400, 404, 406, 429) },
      },
    },
    async ({ params }) => describe(params.collection, findCollection(collections, params.collection)),
  );
};

function describe(name: string, collection: Collection): Static<typeof CollectionSchema> {
  return {
    name,
    items: collection.items,
    generation: collection.generation,
    modalities: collection.manifest.modalities.map(({ name, codec, dims, normalize, clusters }) => ({
      name,
      codec,
      dims,
      normalize,
      clusters,
    })),
    keys: collection.keys !== null,
    metadata: collection.metadata !== null,
    thumbnails: collection.thumbnails !== null,
    url: `/v1/collections/${encodeURIComponent(name)}`,
  };
}
