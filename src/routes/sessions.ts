// Sessions as a whole: made, told of, copied, taken back, written out, deleted.

import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Problem } from '../errors.ts';
import { publicEvent, type SessionEvent } from '../sessions/events.ts';
import { roundOf } from './round-body.ts';
import { findCollection, type RouteOptions } from './route.ts';
import { CollectionParams, mediaTypes, problemAnswers } from './schemas.ts';
import { changeAsked, collectionOf, describeSession, urlOf } from './session-access.ts';
import { Done, SessionParams, SessionSchema, sessionBody } from './session-schemas.ts';

const nothing = new Uint32Array(0);
const noItems = { positive: nothing, negative: nothing, exclude: nothing };

/** POST /collections/{collection}/sessions and the routes of a session itself. */
export const sessionRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (
  app,
  { collections, sessions, config },
) => {
  const { sessionTtlS } = config;
  const common = { tags: ['sessions'], produces: [...mediaTypes] };

  app.post(
    '/collections/:collection/sessions',
    {
      // No body is a body without fields.
      preValidation: async (request) => {
        request.body ??= {};
      },
      schema: {
        ...common,
        summary: 'A new session: remembers labels, seen items and rounds',
        consumes: [...mediaTypes],
        params: CollectionParams,
        body: sessionBody(config),
        response: { 201: SessionSchema, ...problemAnswers(400, 404, 406, 413, 415, 422, 429, 503) },
      },
    },
    async ({ params, body }, reply) => {
      const collection = findCollection(collections, params.collection);
      // Refuses now what every round would refuse.
      roundOf(body, noItems, collection, { config, arrivedMs: 0 });
      const { generation } = collection;
      const session = await sessions.create({ collection: params.collection, generation, settings: body });
      reply.code(201).header('location', urlOf(session));
      return describeSession(session, reply, sessionTtlS);
    },
  );

  app.get(
    '/sessions/:session',
    {
      schema: {
        ...common,
        summary: 'Where a session stands',
        params: SessionParams,
        response: { 200: SessionSchema, ...problemAnswers(400, 404, 406, 429) },
      },
    },
    async ({ params }, reply) => describeSession(sessions.get(params.session), reply, sessionTtlS),
  );

  app.delete(
    '/sessions/:session',
    {
      schema: {
        ...common,
        summary: 'Ends a session',
        params: SessionParams,
        response: { 204: Done, ...problemAnswers(400, 404, 406, 412, 429, 503) },
      },
    },
    async (request, reply) => {
      await changeAsked(sessions, request, async (session) => {
        await sessions.remove(session);
      });
      return reply.code(204).send();
    },
  );

  app.post(
    '/sessions/:session/undo',
    {
      schema: {
        ...common,
        summary: 'Takes back the last round and what came after it',
        params: SessionParams,
        response: { 200: SessionSchema, ...problemAnswers(400, 404, 406, 409, 412, 429, 503) },
      },
    },
    (request, reply) =>
      changeAsked(sessions, request, async (session) => {
        if (!session.canUndo) throw new Problem('nothing-to-undo', 'no round and no label of the session is left');
        await sessions.append(session, { type: 'undo', at: Date.now() });
        return describeSession(session, reply, sessionTtlS);
      }),
  );

  app.post(
    '/sessions/:session/fork',
    {
      schema: {
        ...common,
        summary: 'A new session that begins where this one stands',
        params: SessionParams,
        response: { 201: SessionSchema, ...problemAnswers(400, 404, 406, 409, 412, 429, 503) },
      },
    },
    (request, reply) =>
      changeAsked(sessions, request, async (session) => {
        collectionOf(collections, session);
        const fork = await sessions.fork(session);
        reply.code(201).header('location', urlOf(fork));
        return describeSession(fork, reply, sessionTtlS);
      }),
  );
};

/** GET /sessions/{session}/log, which is lines of JSON and nothing else. */
export const logRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { sessions }) => {
  app.get(
    '/sessions/:session/log',
    {
      schema: {
        tags: ['sessions'],
        summary: 'All events of a session, one a line, in their order; they can be replayed',
        produces: ['application/x-ndjson'],
        params: SessionParams,
        response: {
          200: {
            description: 'The events',
            content: { 'application/x-ndjson': { schema: Type.Unsafe<unknown>({ type: 'string' }) } },
          },
          ...problemAnswers(400, 404, 429),
        },
      },
    },
    async ({ params }, reply) => {
      const session = sessions.get(params.session);
      // Events are never changed, so those of now are a copy of the list.
      const lines = linesOf([...session.events]);
      return reply.type('application/x-ndjson').send(Readable.from(lines, { objectMode: false }));
    },
  );
};

function* linesOf(events: readonly SessionEvent[]): Iterable<string> {
  for (const [place, event] of events.entries()) yield `${JSON.stringify({ event: place, ...publicEvent(event) })}\n`;
}
