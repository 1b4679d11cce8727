// Rounds of a session, and the further pages of their rankings.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { clockMs } from '../engine.ts';
import { type Fault, Problem } from '../errors.ts';
import type { Collection } from '../index/open.ts';
import { wantsMsgpack } from '../msgpack.ts';
import { ROUND_DEFAULTS } from '../round-request.ts';
import type { LabelChange, RoundEvent } from '../sessions/events.ts';
import type { Session } from '../sessions/sessions.ts';
import { SessionState } from '../sessions/state.ts';
import { labelledTwice, type RoundSettings, refuse, resolveItems, roundOf } from './round-body.ts';
import { runRound, withTypedColumns } from './round-reply.ts';
import type { RouteOptions } from './route.ts';
import { mediaTypes, problemAnswers } from './schemas.ts';
import {
  type Cursor,
  collectionOf,
  etagOf,
  idempotencyOf,
  readCursor,
  requireMatch,
  signCursor,
} from './session-access.ts';
import { itemsOf, nextSeed } from './session-round.ts';
import {
  moreQuery,
  type RoundBody,
  roundBody,
  SessionAnswer,
  SessionParams,
  type SessionReply,
} from './session-schemas.ts';

/** POST /sessions/{session}/rounds and GET /sessions/{session}/more. */
export const roundRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, options) => {
  const { sessions, config } = options;
  const common = { tags: ['sessions'], produces: [...mediaTypes], params: SessionParams };

  app.post(
    '/sessions/:session/rounds',
    {
      preValidation: async (request) => {
        request.body ??= {};
      },
      schema: {
        ...common,
        summary: 'The next round: new and changed labels in, suggestions out',
        consumes: [...mediaTypes],
        body: roundBody(config),
        response: { 200: SessionAnswer, ...problemAnswers(400, 404, 406, 409, 412, 413, 415, 422, 429, 503) },
      },
    },
    (request, reply) => {
      const arrivedMs = clockMs() - reply.elapsedTime;
      const idempotency = idempotencyOf(request);
      return sessions.change(request.params.session, async (session) => {
        const kept = idempotency === null ? undefined : session.replyTo(idempotency.key);
        if (kept === undefined) {
          requireMatch(request, session);
          const answer = await nextRound(options, session, request.body, { reply, arrivedMs, idempotency });
          return send(request, reply, answer);
        }
        if (kept.digest !== idempotency?.digest) {
          const detail = `the Idempotency-Key '${kept.key}' came with another body before`;
          throw new Problem('idempotency-key-reused', detail);
        }
        return send(request, reply, kept.answer as SessionReply);
      });
    },
  );

  app.get(
    '/sessions/:session/more',
    {
      schema: {
        ...common,
        summary: 'The next of the ranking of the last round; what it shows counts as seen',
        querystring: moreQuery(config),
        response: { 200: SessionAnswer, ...problemAnswers(400, 404, 406, 409, 410, 422, 429, 503) },
      },
    },
    (request, reply) => {
      const arrivedMs = clockMs() - reply.elapsedTime;
      const { cursor, k } = request.query;
      return sessions.change(request.params.session, async (session) => {
        const at = readCursor(cursor, session);
        const answer = await nextPage(options, session, at, k === undefined ? null : Number(k), { reply, arrivedMs });
        return send(request, reply, answer);
      });
    },
  );
};

interface Arrival {
  readonly reply: FastifyReply;
  readonly arrivedMs: number;
}

/** Runs the next round of a session and keeps it. */
async function nextRound(
  options: RouteOptions,
  session: Session,
  body: RoundBody,
  { reply, arrivedMs, idempotency }: Arrival & { readonly idempotency: ReturnType<typeof idempotencyOf> },
): Promise<SessionReply> {
  const { collections, sessions, config } = options;
  const collection = collectionOf(collections, session);
  const { labels: _labels, exclude: _exclude, resurface = false, ...own } = body;
  const { labels, exclude } = changesOf(body, collection);
  const draft: RoundEvent = {
    type: 'round',
    at: 0,
    labels,
    exclude,
    settings: own,
    resurface,
    seed: own.seed ?? nextSeed(session),
    suggested: [],
    complete: false,
  };
  const place = session.events.length;
  const asked = session.state.asking(draft);
  const settings: RoundSettings = { ...(asked.created.settings as RoundSettings), ...own, seed: draft.seed };
  limitItems(asked, settings.k ?? ROUND_DEFAULTS.k, config.maxSessionItems);
  const round = roundOf(settings, itemsOf(asked, resurface ? [] : asked.seen), collection, { config, arrivedMs });
  const { answer, items, timing } = await runRound(options, round, {
    name: asked.created.collection,
    collection,
    arrivedMs,
    abandoned: () => reply.raw.destroyed,
    format: settings.format ?? 'items',
    typed: false,
  });
  const revision = session.state.revision + 1;
  const full: SessionReply = {
    ...answer,
    session: { id: session.id, revision, round: session.state.rounds + 1, page: 0 },
    ...(items.length === 0 ? {} : { more: signCursor({ place, page: 1 }, session) }),
  };
  const { complete } = answer.coverage;
  const event = { ...draft, at: Date.now(), suggested: [...items], complete };
  await sessions.append(session, idempotency === null ? event : { ...event, reply: { ...idempotency, answer: full } });
  reply.header('server-timing', timing);
  return full;
}

/** Runs a page of the last round's ranking and keeps it, unless it was asked for before. */
async function nextPage(
  options: RouteOptions,
  session: Session,
  { place, page }: Cursor,
  wanted: number | null,
  { reply, arrivedMs }: Arrival,
): Promise<SessionReply> {
  const { collections, sessions, config } = options;
  const { last } = session.state;
  if (last === null || last.place !== place) {
    throw new Problem('stale-cursor', 'the cursor belongs to a round that is not the last one any more');
  }
  const collection = collectionOf(collections, session);
  const asked = SessionState.asked(session.events, place);
  const { event, pages } = last;
  const { mix: _mix, ...settings } = {
    ...(asked.created.settings as RoundSettings),
    ...event.settings,
  } as RoundSettings;
  const known = pages[page - 1];
  const k = pageSize(wanted, known?.k ?? settings.k ?? ROUND_DEFAULTS.k, known !== undefined, config.maxK);
  limitItems(session.state, k, config.maxSessionItems);
  const before = [...event.suggested, ...pages.slice(0, page - 1).flatMap(({ suggested }) => suggested)];
  const left = [...(event.resurface ? [] : asked.seen), ...before, ...session.state.labels.keys()];
  const pageItems = { ...itemsOf(asked, left), shown: Uint32Array.from(before) };
  const round = roundOf({ ...settings, k, seed: event.seed }, pageItems, collection, { config, arrivedMs });
  const { answer, items, timing } = await runRound(options, round, {
    name: asked.created.collection,
    collection,
    arrivedMs,
    abandoned: () => reply.raw.destroyed,
    format: settings.format ?? 'items',
    typed: false,
  });
  if (known === undefined) {
    await sessions.append(session, { type: 'more', at: Date.now(), page, k, suggested: [...items] });
  }
  reply.header('server-timing', timing);
  return {
    ...answer,
    session: { id: session.id, revision: session.state.revision, round: session.state.rounds, page },
    ...(items.length === 0 ? {} : { more: signCursor({ place, page: page + 1 }, session) }),
  };
}

/** The size of a page; one that was answered keeps the size it had. */
function pageSize(wanted: number | null, standard: number, answered: boolean, maxK: number): number {
  const k = wanted ?? standard;
  const wrong = (code: 'invalid-request' | 'unprocessable-request', detail: string) =>
    new Problem(code, detail, { faults: [{ pointer: '/query/k', detail }] });
  if (k > maxK) throw wrong('invalid-request', `k is ${k}, at most ${maxK}`);
  if (answered && k !== standard) {
    throw wrong('unprocessable-request', `the page was answered with k=${standard}; the next one may have another`);
  }
  return k;
}

/** The labels and exclusions of a body. Throws Problem 'unprocessable-request'. */
function changesOf({ labels = {}, exclude = [] }: RoundBody, collection: Collection) {
  const faults: Fault[] = [];
  const positive = resolveItems(labels.positive ?? [], '/labels/positive', collection, faults);
  const negative = resolveItems(labels.negative ?? [], '/labels/negative', collection, faults, labelledTwice(positive));
  const removed = resolveItems(labels.removed ?? [], '/labels/removed', collection, faults, {
    items: new Set([...positive, ...negative]),
    detail: (item) => `item ${item} is labelled and loses its label`,
  });
  const excluded = resolveItems(exclude, '/exclude', collection, faults);
  refuse(faults);
  const change: LabelChange = { positive: [...positive], negative: [...negative], removed: [...removed] };
  return { labels: change, exclude: [...excluded] };
}

function limitItems({ labels, seen, excluded }: SessionState, k: number, maxSessionItems: number): void {
  if (labels.size + seen.size + excluded.size + k <= maxSessionItems) return;
  throw new Problem('session-full', `a session holds at most ${maxSessionItems} labelled, seen and excluded items`);
}

function send(request: FastifyRequest, reply: FastifyReply, answer: SessionReply): SessionReply {
  reply.header('etag', etagOf(answer.session.revision));
  return wantsMsgpack(request) ? withTypedColumns(answer) : answer;
}
