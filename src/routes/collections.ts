// The collections that are served, and what is known about each.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import type { Collection } from '../index/open.ts';
import { findCollection, type RouteOptions } from './route.ts';
import { CollectionParams, closed, mediaTypes, problemAnswers } from './schemas.ts';

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
          recommended_clusters: Type.Optional(
            Type.Union([Type.Integer(), Type.Null()], {
              description:
                'search.clusters for a mean recall@100 of 0.95, as measured when the index was built; null where no ' +
                'number up to 1024 reaches that, absent where it was not measured',
            }),
          ),
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
  const { modalities, quality } = collection.manifest;
  return {
    name,
    items: collection.items,
    generation: collection.generation,
    modalities: modalities.map(({ name, codec, dims, normalize, clusters }) => {
      const measured = quality?.modalities.find((modality) => modality.name === name);
      const recommended = measured === undefined ? {} : { recommended_clusters: measured.recall.recommended_clusters };
      return { name, codec, dims, normalize, clusters, ...recommended };
    }),
    keys: collection.keys !== null,
    metadata: collection.metadata !== null,
    thumbnails: collection.thumbnails !== null,
    url: `/v1/collections/${encodeURIComponent(name)}`,
  };
}
