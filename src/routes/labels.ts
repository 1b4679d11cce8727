// The labels of a session, all or one.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Static } from 'typebox';
import { type Fault, Problem } from '../errors.ts';
import type { Collection } from '../index/open.ts';
import type { LabelChange } from '../sessions/events.ts';
import type { Session } from '../sessions/sessions.ts';
import { labelledTwice, refuse, resolveItems } from './round-body.ts';
import { findItem, type RouteOptions } from './route.ts';
import { mediaTypes, problemAnswers } from './schemas.ts';
import { changeAsked, collectionOf, etagOf } from './session-access.ts';
import {
  Done,
  LabelBody,
  LabelParams,
  LabelQuery,
  LabelSchema,
  LabelsSchema,
  labelsBody,
  SessionParams,
} from './session-schemas.ts';

type Label = Static<typeof LabelSchema>;

/** GET, PUT and DELETE of /sessions/{session}/labels and /sessions/{session}/labels/{id}. */
export const labelRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { collections, sessions, config }) => {
  const common = { tags: ['sessions'], produces: [...mediaTypes] };
  const consumes = [...mediaTypes];

  /** Keeps a change that is one; the session is at its new revision then. */
  const apply = async (session: Session, change: LabelChange): Promise<void> => {
    const { positive, negative, removed } = change;
    if (positive.length + negative.length + removed.length === 0) return;
    const { labels, seen, excluded } = session.state;
    const items = labels.size + seen.size + excluded.size + positive.length + negative.length - removed.length;
    if (items > config.maxSessionItems) {
      const detail = `a session holds at most ${config.maxSessionItems} labelled, seen and excluded items`;
      throw new Problem('session-full', detail);
    }
    await sessions.append(session, { type: 'labels', at: Date.now(), ...change });
  };

  app.get(
    '/sessions/:session/labels',
    {
      schema: {
        ...common,
        summary: 'The labels of a session',
        params: SessionParams,
        response: { 200: LabelsSchema, ...problemAnswers(400, 404, 406, 409, 429) },
      },
    },
    async ({ params }, reply) => {
      const session = sessions.get(params.session);
      const collection = collectionOf(collections, session);
      reply.header('etag', etagOf(session.state.revision));
      return { labels: Array.from(session.state.labels, ([id, label]) => labelOf(id, label, collection)) };
    },
  );

  app.put(
    '/sessions/:session/labels',
    {
      schema: {
        ...common,
        summary: 'Replaces all labels of a session',
        consumes,
        params: SessionParams,
        body: labelsBody(config),
        response: { 200: LabelsSchema, ...problemAnswers(400, 404, 406, 409, 412, 413, 415, 422, 429, 503) },
      },
    },
    (request, reply) =>
      changeAsked(sessions, request, async (session) => {
        const collection = collectionOf(collections, session);
        await apply(session, replacement(session, request.body, collection));
        reply.header('etag', etagOf(session.state.revision));
        return { labels: Array.from(session.state.labels, ([id, label]) => labelOf(id, label, collection)) };
      }),
  );

  app.delete(
    '/sessions/:session/labels',
    {
      schema: {
        ...common,
        summary: 'Removes all labels of a session',
        params: SessionParams,
        response: { 204: Done, ...problemAnswers(400, 404, 406, 409, 412, 429, 503) },
      },
    },
    (request, reply) =>
      changeAsked(sessions, request, async (session) => {
        await apply(session, { positive: [], negative: [], removed: [...session.state.labels.keys()] });
        return reply.code(204).header('etag', etagOf(session.state.revision)).send(undefined);
      }),
  );

  app.get(
    '/sessions/:session/labels/:id',
    {
      schema: {
        ...common,
        summary: 'The label of one item',
        params: LabelParams,
        querystring: LabelQuery,
        response: { 200: LabelSchema, ...problemAnswers(400, 404, 406, 409, 422, 429) },
      },
    },
    async ({ params, query }, reply) => {
      const session = sessions.get(params.session);
      const collection = collectionOf(collections, session);
      const item = findItem(collection, params.id, query.by);
      const label = session.state.labels.get(item);
      if (label === undefined) throw unlabelled(item);
      reply.header('etag', etagOf(session.state.revision));
      return labelOf(item, label, collection);
    },
  );

  app.put(
    '/sessions/:session/labels/:id',
    {
      schema: {
        ...common,
        summary: 'Labels one item',
        consumes,
        params: LabelParams,
        querystring: LabelQuery,
        body: LabelBody,
        response: { 200: LabelSchema, ...problemAnswers(400, 404, 406, 409, 412, 413, 415, 422, 429, 503) },
      },
    },
    (request, reply) =>
      changeAsked(sessions, request, async (session) => {
        const { params, query, body } = request;
        const collection = collectionOf(collections, session);
        const item = findItem(collection, params.id, query.by);
        const label = body.label === 'positive' ? 1 : -1;
        // The same label again changes nothing, as PUT should.
        if (session.state.labels.get(item) !== label) {
          const [positive, negative] = label > 0 ? [[item], []] : [[], [item]];
          await apply(session, { positive, negative, removed: [] });
        }
        reply.header('etag', etagOf(session.state.revision));
        return labelOf(item, label, collection);
      }),
  );

  app.delete(
    '/sessions/:session/labels/:id',
    {
      schema: {
        ...common,
        summary: 'Removes the label of one item',
        params: LabelParams,
        querystring: LabelQuery,
        response: { 204: Done, ...problemAnswers(400, 404, 406, 409, 412, 422, 429, 503) },
      },
    },
    (request, reply) =>
      changeAsked(sessions, request, async (session) => {
        const item = findItem(collectionOf(collections, session), request.params.id, request.query.by);
        if (!session.state.labels.has(item)) throw unlabelled(item);
        await apply(session, { positive: [], negative: [], removed: [item] });
        return reply.code(204).header('etag', etagOf(session.state.revision)).send(undefined);
      }),
  );
};

/** What makes the labels of a session those of a body: nothing where they are the same. */
function replacement(
  { state: { labels } }: Session,
  body: Static<ReturnType<typeof labelsBody>>,
  collection: Collection,
): LabelChange {
  const faults: Fault[] = [];
  const positives = resolveItems(body.positive ?? [], '/positive', collection, faults);
  const negatives = resolveItems(body.negative ?? [], '/negative', collection, faults, labelledTwice(positives));
  refuse(faults);
  return {
    positive: [...positives].filter((item) => labels.get(item) !== 1),
    negative: [...negatives].filter((item) => labels.get(item) !== -1),
    removed: [...labels.keys()].filter((item) => !positives.has(item) && !negatives.has(item)),
  };
}

function unlabelled(item: number): Problem {
  return new Problem('unknown-label', `item ${item} has no label in this session`);
}

function labelOf(id: number, label: 1 | -1, { keys }: Collection): Label {
  return { id, ...(keys === null ? {} : { key: keys.keyOf(id) }), label: label > 0 ? 'positive' : 'negative' };
}
