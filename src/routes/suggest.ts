// The stateless round: labels in, suggestions out.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { clockMs } from '../engine.ts';
import { wantsMsgpack } from '../msgpack.ts';
import { toRound } from './round-body.ts';
import { type Answer, runRound } from './round-reply.ts';
import { SuggestAnswer, suggestBody } from './round-schemas.ts';
import { findCollection, type RouteOptions } from './route.ts';
import { CollectionParams, mediaTypes, problemAnswers } from './schemas.ts';

/** POST /collections/{collection}/suggest. */
export const suggestRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, options) => {
  const { collections, config } = options;
  app.post(
    '/collections/:collection/suggest',
    {
      schema: {
        tags: ['rounds'],
        summary: 'One round: learn from the labels, suggest the k best of the other items',
        consumes: [...mediaTypes],
        produces: [...mediaTypes],
        params: CollectionParams,
        body: suggestBody(config),
        response: {
          200: SuggestAnswer,
          ...problemAnswers(400, 404, 406, 413, 415, 422, 429, 503),
        },
      },
    },
    async (request, reply): Promise<Answer> => {
      const { body } = request;
      const name = request.params.collection;
      const arrivedMs = clockMs() - reply.elapsedTime;
      const collection = findCollection(collections, name);
      const round = toRound(body, collection, { config, arrivedMs });
      const { answer, timing } = await runRound(options, round, {
        name,
        collection,
        arrivedMs,
        abandoned: () => reply.raw.destroyed,
        format: body.format ?? 'items',
        typed: wantsMsgpack(request),
      });
      reply.header('server-timing', timing);
      return answer;
    },
  );
};
