// What happens to a session, as it is stored: a session is the list of its events and nothing else.

/** Changed labels of one event; item numbers. */
export interface LabelChange {
  readonly positive: readonly number[];
  readonly negative: readonly number[];
  /** Items that lose their label. */
  readonly removed: readonly number[];
}

/** The answer kept for an Idempotency-Key, and the digest of the body it answered. */
export interface KeptReply {
  readonly key: string;
  readonly digest: string;
  readonly answer: unknown;
}

export interface CreatedEvent {
  readonly type: 'created';
  readonly at: number;
  readonly collection: string;
  /** Of the index: item numbers mean nothing in another. */
  readonly generation: string;
  /** What rounds take when they do not say otherwise; a body without labels. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Signs the session's cursors; never told. */
  readonly secret: string;
  /** Where a fork came from. */
  readonly from?: { readonly session: string; readonly revision: number };
}

export interface RoundEvent {
  readonly type: 'round';
  readonly at: number;
  readonly labels: LabelChange;
  /** Items never to suggest from now on. */
  readonly exclude: readonly number[];
  /** What this round did otherwise than the session's settings. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Whether unlabelled items that were suggested before could come again. */
  readonly resurface: boolean;
  readonly seed: number;
  readonly suggested: readonly number[];
  readonly complete: boolean;
  readonly reply?: KeptReply;
}

/** A further page of the last round's ranking, from 1. */
export interface MoreEvent {
  readonly type: 'more';
  readonly at: number;
  readonly page: number;
  readonly k: number;
  readonly suggested: readonly number[];
}

export interface LabelsEvent extends LabelChange {
  readonly type: 'labels';
  readonly at: number;
}

export interface UndoEvent {
  readonly type: 'undo';
  readonly at: number;
}

export type SessionEvent = CreatedEvent | RoundEvent | MoreEvent | LabelsEvent | UndoEvent;

/** Bytes of an event as it is stored and counted. */
export function encodeEvent(event: SessionEvent): string {
  return JSON.stringify(event);
}

/** An event as clients see it: no secrets, no answers. */
export function publicEvent(event: SessionEvent): Readonly<Record<string, unknown>> {
  if (event.type === 'created') {
    const { secret: _secret, ...rest } = event;
    return rest;
  }
  if (event.type === 'round') {
    const { reply: _reply, ...rest } = event;
    return rest;
  }
  return { ...event };
}
