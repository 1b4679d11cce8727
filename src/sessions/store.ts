// The interface of a session store: where events go before a change is acknowledged. And the store that keeps nothing.

import type { SessionEvent } from './events.ts';

/** One thing to keep: an event of a session, or that the session is gone (null). */
export interface Entry {
  readonly session: string;
  readonly event: SessionEvent | null;
}

export interface SessionStore {
  /** The events of every session that is left, in their order. Asked for once, before anything else. */
  load(): ReadonlyMap<string, readonly SessionEvent[]>;
  /** Keeps entries, all or none; settles when they are as safe as this store makes them. */
  append(entries: readonly Entry[]): Promise<void>;
  /** Waits for what is under way and lets go. */
  close(): Promise<void>;
}

/** For sessions that live as long as the process: nothing is kept, so nothing can be loaded. */
export const memoryStore: SessionStore = {
  load: () => new Map(),
  append: async () => {},
  close: async () => {},
};
