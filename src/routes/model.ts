// The model of a session, for use elsewhere.

import { createHash } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { clockMs } from '../engine.ts';
import type { Collection } from '../index/open.ts';
import type { RouteOptions } from './route.ts';
import { mediaTypes, problemAnswers } from './schemas.ts';
import { collectionOf, etagOf } from './session-access.ts';
import { nextTraining } from './session-round.ts';
import { SessionParams } from './session-schemas.ts';

const closed = { additionalProperties: false };

const ModelSchema = Type.Object(
  {
    format: Type.Literal('farsight model'),
    version: Type.Literal(1),
    kind: Type.String(),
    collection: Type.String(),
    generation: Type.String(),
    feature_space: Type.String({ description: 'equal where the modalities mean the same: names, dims, normalisation' }),
    modalities: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          weight: Type.Number({ description: 'in the fusion' }),
          dims: Type.Integer(),
          normalize: Type.Boolean({ description: 'whether vectors are scaled to unit length first' }),
          weights: Type.Array(Type.Number()),
          bias: Type.Number(),
        },
        { ...closed, description: 'score(x) = weights . x + bias' },
      ),
    ),
    training: Type.Object(
      {
        positives: Type.Integer(),
        negatives: Type.Integer(),
        pseudo_negatives: Type.Integer({ description: 'random items that served as negatives' }),
        seed: Type.Integer(),
        session: Type.String(),
        revision: Type.Integer(),
      },
      closed,
    ),
  },
  closed,
);

/** GET /sessions/{session}/model. */
export const modelRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (
  app,
  { collections, sessions, engine, config },
) => {
  app.get(
    '/sessions/:session/model',
    {
      schema: {
        tags: ['sessions'],
        summary: 'The model that the next round would use',
        produces: [...mediaTypes],
        params: SessionParams,
        response: { 200: ModelSchema, ...problemAnswers(400, 404, 406, 409, 413, 429, 503) },
      },
    },
    async ({ params }, reply): Promise<Static<typeof ModelSchema>> => {
      const session = sessions.get(params.session);
      const { revision, created } = session.state;
      const collection = collectionOf(collections, session);
      const round = nextTraining(session, collection, config, clockMs() - reply.elapsedTime);
      const { positive, negative, seed, modalities } = round;
      const training = { positives: positive.length, negatives: negative.length, seed, session: session.id, revision };
      const { models, pseudoNegatives } = await engine.train(created.collection, round, () => reply.raw.destroyed);
      reply.header('etag', etagOf(revision));
      return {
        format: 'farsight model',
        version: 1,
        kind: round.model.kind,
        collection: created.collection,
        generation: collection.generation,
        feature_space: featureSpaceOf(collection),
        modalities: models.map(({ modality, model }, m) => {
          const { dims, normalize } = collection.modalities.get(modality)?.manifest ?? { dims: 0, normalize: false };
          const weight = modalities[m]?.weight ?? 0;
          return { name: modality, weight, dims, normalize, weights: [...model.weights], bias: model.bias };
        }),
        training: { ...training, pseudo_negatives: pseudoNegatives },
      };
    },
  );
};

function featureSpaceOf({ manifest }: Collection): string {
  const spaces = manifest.modalities.map(({ name, dims, normalize }) => [name, dims, normalize]);
  return createHash('sha256').update(JSON.stringify(spaces)).digest('hex').slice(0, 16);
}
