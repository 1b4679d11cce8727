// The sessions of a server: their events in memory, each change kept in a store before it counts. Changes of one session
// take turns; limits bound what sessions may hold.

import { randomBytes, randomUUID } from 'node:crypto';
import { Problem } from '../errors.ts';
import { type CreatedEvent, encodeEvent, type KeptReply, type SessionEvent } from './events.ts';
import { canUndo, SessionState } from './state.ts';
import type { SessionStore } from './store.ts';
import { Turns } from './turns.ts';

/** What sessions may hold; the names are those of the settings. */
export interface SessionLimits {
  readonly maxSessions: number;
  readonly maxSessionsBytes: number;
  readonly maxSessionBytes: number;
  readonly maxSessionEvents: number;
  readonly sessionQueueLength: number;
  readonly sessionTtlS: number;
  readonly idempotencyKeys: number;
}

/** How often sessions are looked at for having expired. */
const EXPIRY_INTERVAL_MS = 60_000;

/** A session: its events, and what they add up to. */
export class Session {
  readonly id: string;
  readonly turns = new Turns();
  /** Bytes of its events, without answers that are kept no more. What an undo takes back stays in the log, and counts. */
  bytes = 0;
  /** Deleted or expired while somebody still holds it. */
  gone = false;
  #state: SessionState;
  readonly #events: SessionEvent[] = [];
  /** Places of the rounds whose answers are kept, by key. */
  readonly #replies = new Map<string, number>();
  readonly #repliesKept: number;

  constructor(id: string, events: readonly SessionEvent[], repliesKept: number) {
    this.id = id;
    this.#repliesKept = repliesKept;
    for (const event of events) this.#push(event);
    this.#state = SessionState.of(this.#events);
  }

  get events(): readonly SessionEvent[] {
    return this.#events;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** When it was last changed, in milliseconds since 1970. */
  get changedAt(): number {
    return (this.#events.at(-1) as SessionEvent).at;
  }

  get canUndo(): boolean {
    return canUndo(this.#events);
  }

  /** The answer given for a key, unless too many came after it. */
  replyTo(key: string): KeptReply | undefined {
    const round = this.#events[this.#replies.get(key) ?? -1];
    return round?.type === 'round' ? round.reply : undefined;
  }

  add(event: SessionEvent): void {
    this.#push(event);
    this.#state = this.#state.after(this.#events);
  }

  #push(event: SessionEvent): void {
    this.#events.push(event);
    this.bytes += eventBytes(event);
    if (event.type !== 'round' || event.reply === undefined) return;
    this.#replies.set(event.reply.key, this.#events.length - 1);
    const [oldest] = this.#replies;
    if (this.#replies.size <= this.#repliesKept || oldest === undefined) return;
    const [key, place] = oldest;
    const answered = this.#events[place] as SessionEvent;
    const bare = withoutReply(answered);
    this.#replies.delete(key);
    this.#events[place] = bare;
    this.bytes -= eventBytes(answered) - eventBytes(bare);
  }
}

/** All of them. */
export class Sessions {
  readonly #store: SessionStore;
  readonly #limits: SessionLimits;
  readonly #sessions = new Map<string, Session>();
  #bytes = 0;
  readonly #expiry: NodeJS.Timeout;

  /** Loads what the store has. */
  constructor(store: SessionStore, limits: SessionLimits) {
    this.#store = store;
    this.#limits = limits;
    for (const [id, events] of store.load()) {
      this.#hold(new Session(id, events, limits.idempotencyKeys));
    }
    this.#expiry = setInterval(() => this.expire(Date.now()), EXPIRY_INTERVAL_MS).unref();
    this.expire(Date.now());
  }

  get count(): number {
    return this.#sessions.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Throws Problem 'unknown-session'. */
  get(id: string): Session {
    const session = this.#sessions.get(id);
    if (session === undefined) throw new Problem('unknown-session', `there is no session '${id}'; it may have expired`);
    return session;
  }

  /** Throws Problem 'too-many-sessions'. */
  create(start: Omit<CreatedEvent, 'type' | 'at' | 'secret'>): Promise<Session> {
    return this.#begin([{ type: 'created', at: Date.now(), secret: secret(), ...start }]);
  }

  /** A session of its own with the events so far. Throws Problem 'too-many-sessions'. */
  fork(session: Session): Promise<Session> {
    const [created, ...rest] = session.events as readonly [CreatedEvent, ...SessionEvent[]];
    const from = { session: session.id, revision: session.state.revision };
    return this.#begin([{ ...created, at: Date.now(), secret: secret(), from }, ...rest.map(withoutReply)]);
  }

  /** Runs a change when its turn has come. Throws Problem 'unknown-session' or 'overloaded'. */
  change<Result>(id: string, work: (session: Session) => Promise<Result>): Promise<Result> {
    const session = this.get(id);
    if (session.turns.length > this.#limits.sessionQueueLength) {
      const detail = `${session.turns.length} requests for this session are waiting; it takes one at a time`;
      throw new Problem('overloaded', detail, { headers: { 'retry-after': '1' } });
    }
    return session.turns.take(async () => {
      if (session.gone) this.get(id);
      return await work(session);
    });
  }

  /** Keeps an event; within a change. Throws Problem 'session-full' or 'storage-failed', and then nothing has changed. */
  async append(session: Session, event: SessionEvent): Promise<void> {
    const { maxSessionEvents, maxSessionBytes, maxSessionsBytes } = this.#limits;
    const bytes = eventBytes(event);
    if (session.events.length >= maxSessionEvents) throw full(`${maxSessionEvents} events`);
    if (session.bytes + bytes > maxSessionBytes) throw full(`${maxSessionBytes} bytes of events`);
    if (this.#bytes + bytes > maxSessionsBytes) {
      throw new Problem('too-many-sessions', `all sessions together may hold ${maxSessionsBytes} bytes of events`);
    }
    await this.#store.append([{ session: session.id, event }]);
    const before = session.bytes;
    session.add(event);
    this.#bytes += session.bytes - before;
  }

  /** Within a change. */
  async remove(session: Session): Promise<void> {
    await this.#store.append([{ session: session.id, event: null }]);
    this.#drop(session);
  }

  /** Lets go of the sessions that were not changed for too long; 0 is never. */
  expire(now: number): void {
    const { sessionTtlS } = this.#limits;
    if (sessionTtlS === 0) return;
    for (const session of this.#sessions.values()) {
      if (now - session.changedAt < sessionTtlS * 1000 || session.turns.length > 0) continue;
      this.#drop(session);
      // What cannot be written now is loaded at the next start, and has expired then too.
      this.#store.append([{ session: session.id, event: null }]).catch(() => {});
    }
  }

  /** Waits until every change is kept. */
  async close(): Promise<void> {
    clearInterval(this.#expiry);
    await this.#store.close();
  }

  async #begin(events: readonly SessionEvent[]): Promise<Session> {
    const { maxSessions, maxSessionsBytes, idempotencyKeys } = this.#limits;
    const session = new Session(randomUUID(), events, idempotencyKeys);
    if (this.#sessions.size >= maxSessions || this.#bytes + session.bytes > maxSessionsBytes) {
      const detail = `${this.#sessions.size} sessions of ${this.#bytes} bytes are held; delete some, or wait`;
      throw new Problem('too-many-sessions', detail, { headers: { 'retry-after': '60' } });
    }
    // Counted before it is kept, so that creations at the same time cannot pass the limit together.
    this.#hold(session);
    try {
      await this.#store.append(events.map((event) => ({ session: session.id, event })));
    } catch (error) {
      this.#drop(session);
      throw error;
    }
    return session;
  }

  #hold(session: Session): void {
    this.#sessions.set(session.id, session);
    this.#bytes += session.bytes;
  }

  #drop(session: Session): void {
    if (!this.#sessions.delete(session.id)) return;
    session.gone = true;
    this.#bytes -= session.bytes;
  }
}

function eventBytes(event: SessionEvent): number {
  return Buffer.byteLength(encodeEvent(event));
}

/** Answers belong to the keys of one session, and to the last of them. */
function withoutReply(event: SessionEvent): SessionEvent {
  if (event.type !== 'round') return event;
  const { reply: _reply, ...rest } = event;
  return rest;
}

function secret(): string {
  return randomBytes(16).toString('hex');
}

function full(what: string): Problem {
  return new Problem('session-full', `a session holds at most ${what}; start another, or fork from an earlier state`);
}
