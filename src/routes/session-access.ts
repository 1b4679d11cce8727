// What the routes of sessions have in common: finding a session and its collection, preconditions, what is said of it.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { Problem } from '../errors.ts';
import type { Collection } from '../index/open.ts';
import type { Session, Sessions } from '../sessions/sessions.ts';
import { type Collections, findCollection } from './route.ts';
import type { SessionSchema } from './session-schemas.ts';

const maxKeyChars = 255;
const macBytes = 16;

/** The collection of a session, as long as it is the one its item numbers belong to. Throws Problem. */
export function collectionOf(collections: Collections, session: Session): Collection {
  const { collection: name, generation } = session.state.created;
  const collection = findCollection(collections, name);
  if (collection.generation === generation) return collection;
  const detail = `the session belongs to generation ${generation} of '${name}', and ${collection.generation} is served: item numbers mean other items there`;
  throw new Problem('index-replaced', detail);
}

/** The entity tag of a revision. */
export function etagOf(revision: number): string {
  return `"r${revision}"`;
}

/** Throws Problem 'stale-revision' where If-Match names other revisions. */
export function requireMatch(request: Pick<FastifyRequest, 'headers'>, session: Session): void {
  const given = request.headers['if-match'];
  if (given === undefined) return;
  const etag = etagOf(session.state.revision);
  const tags = given.split(',').map((tag) => tag.trim());
  if (tags.includes('*') || tags.includes(etag)) return;
  const detail = `If-Match is ${given.slice(0, 100)}, and the session is at ${etag}`;
  throw new Problem('stale-revision', detail, { headers: { etag } });
}

/** Runs a change of a session when it is its turn, if the revision is still what the request expects. Throws Problem. */
export function changeAsked<Result>(
  sessions: Sessions,
  request: Pick<FastifyRequest, 'headers'> & { readonly params: { readonly session: string } },
  change: (session: Session) => Promise<Result>,
): Promise<Result> {
  return sessions.change(request.params.session, async (session) => {
    requireMatch(request, session);
    return await change(session);
  });
}

/** The Idempotency-Key of a request and the digest of its body; null without one. Throws Problem 'invalid-request'. */
export function idempotencyOf(request: FastifyRequest): { readonly key: string; readonly digest: string } | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key !== 'string' || key === '' || key.length > maxKeyChars) {
    throw new Problem('invalid-request', `an Idempotency-Key has 1 to ${maxKeyChars} characters, and comes once`);
  }
  return { key, digest: createHash('sha256').update(JSON.stringify(request.body)).digest('hex') };
}

/** Where a page of a ranking begins. */
export interface Cursor {
  /** The place of the round among the events of its session. */
  readonly place: number;
  /** The page, from 1. */
  readonly page: number;
}

/** A cursor nobody else can make. */
export function signCursor({ place, page }: Cursor, session: Session): string {
  const text = `${place}.${page}`;
  return Buffer.concat([macOf(text, session), Buffer.from(text)]).toString('base64url');
}

/** Throws Problem 'invalid-request' for what `signCursor` did not write for this session. */
export function readCursor(cursor: string, session: Session): Cursor {
  const bytes = Buffer.from(cursor, 'base64url');
  const text = bytes.subarray(macBytes).toString('latin1');
  const isOurs = bytes.length > macBytes && timingSafeEqual(bytes.subarray(0, macBytes), macOf(text, session));
  if (!isOurs) {
    const detail = 'the cursor is not one of this session';
    throw new Problem('invalid-request', detail, { faults: [{ pointer: '/query/cursor', detail }] });
  }
  const [place = 0, page = 0] = text.split('.').map(Number);
  return { place, page };
}

function macOf(text: string, session: Session): Buffer {
  const { secret } = session.state.created;
  return createHmac('sha256', Buffer.from(secret, 'hex')).update(text).digest().subarray(0, macBytes);
}

/** What is told of a session; its revision goes into the ETag. */
export function describeSession(
  session: Session,
  reply: FastifyReply,
  sessionTtlS: number,
): Static<typeof SessionSchema> {
  const { created, revision, rounds, labels, seen, excluded } = session.state;
  reply.header('etag', etagOf(revision));
  const positives = [...labels.values()].filter((label) => label > 0).length;
  const time = (milliseconds: number) => new Date(milliseconds).toISOString();
  return {
    id: session.id,
    url: urlOf(session),
    collection: created.collection,
    generation: created.generation,
    revision,
    rounds,
    positives,
    negatives: labels.size - positives,
    seen: seen.size,
    excluded: excluded.size,
    settings: { ...created.settings },
    seed: seedOf(session),
    events: session.events.length,
    bytes: session.bytes,
    created: time(created.at),
    changed: time(session.changedAt),
    ...(sessionTtlS === 0 ? {} : { expires: time(session.changedAt + sessionTtlS * 1000) }),
    ...(created.from === undefined ? {} : { from: created.from }),
  };
}

export function urlOf(session: Session): string {
  return `/v1/sessions/${session.id}`;
}

/** The seed of a session, from which those of its rounds come. */
export function seedOf(session: Session): number {
  const { seed = 0 } = session.state.created.settings as { readonly seed?: number };
  return seed;
}
