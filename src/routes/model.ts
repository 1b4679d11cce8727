// The model of a session, for use elsewhere.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { clockMs } from '../engine.ts';
import { portableModel } from '../portable-model.ts';
import { PortableModelSchema } from './model-schemas.ts';
import type { RouteOptions } from './route.ts';
import { closed, mediaTypes, problemAnswers } from './schemas.ts';
import { collectionOf, etagOf } from './session-access.ts';
import { nextTraining } from './session-round.ts';
import { SessionParams } from './session-schemas.ts';

/** The portable model of a round, and what it learnt from. */
const SessionModel = Type.Object(
  {
    ...PortableModelSchema.properties,
    training: Type.Object(
      {
        collection: Type.String(),
        session: Type.String(),
        revision: Type.Integer(),
        seed: Type.Integer(),
        positives: Type.Integer(),
        negatives: Type.Integer(),
        pseudo_negatives: Type.Integer({ description: 'random items that served as negatives' }),
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
        response: { 200: SessionModel, ...problemAnswers(400, 404, 406, 409, 413, 429, 503) },
      },
    },
    async ({ params }, reply): Promise<Static<typeof SessionModel>> => {
      const session = sessions.get(params.session);
      const { revision, created } = session.state;
      const collection = collectionOf(collections, session);
      const round = nextTraining(session, collection, config, clockMs() - reply.elapsedTime);
      const { positive, negative, seed, modalities, model } = round;
      const learnt = { collection: created.collection, session: session.id, revision, seed };
      const counts = { positives: positive.length, negatives: negative.length };
      const { models, pseudoNegatives } = await engine.train(created.collection, round, () => reply.raw.destroyed);
      const trained = models.map(({ modality, model }, m) => ({
        name: modality,
        weight: modalities[m]?.weight ?? 0,
        model,
      }));
      const account = { kind: model.kind, ...counts, pseudoNegatives };
      reply.header('etag', etagOf(revision));
      return {
        ...portableModel(collection, { model: account, trained }),
        training: { ...learnt, ...counts, pseudo_negatives: pseudoNegatives },
      };
    },
  );
};
