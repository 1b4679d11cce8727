// What the events of a session add up to: labels, seen items, rounds. The same events always give the same state.

import type { CreatedEvent, LabelChange, MoreEvent, RoundEvent, SessionEvent } from './events.ts';

/** The last round in effect: its place among all events, and the pages of its ranking. */
export interface LastRound {
  readonly place: number;
  readonly event: RoundEvent;
  readonly pages: MoreEvent[];
}

export class SessionState {
  readonly created: CreatedEvent;
  /** Changes so far: rounds, label changes and undos. Pages of a ranking are none. */
  revision = 0;
  /** Rounds in effect. */
  rounds = 0;
  /** 1 or -1 by item, in the order in which the labels were given. */
  readonly labels = new Map<number, 1 | -1>();
  /** Suggested in rounds and pages in effect. */
  readonly seen = new Set<number>();
  /** Never to be suggested. */
  readonly excluded = new Set<number>();
  last: LastRound | null = null;

  private constructor(created: CreatedEvent) {
    this.created = created;
  }

  /** Folds all events; the first is `created`. */
  static of(events: readonly SessionEvent[]): SessionState {
    const [created] = events;
    if (created?.type !== 'created') throw new Error('the first event of a session is its creation');
    const state = new SessionState(created);
    for (const place of placesInEffect(events)) state.#apply(events[place] as SessionEvent, place);
    state.revision = events.filter(({ type }) => type !== 'created' && type !== 'more').length;
    return state;
  }

  /** What a round at a place was asked with: the state before it, and the labels and exclusions that came with it. */
  static asked(events: readonly SessionEvent[], place: number): SessionState {
    return SessionState.of(events.slice(0, place)).asking(events[place] as RoundEvent);
  }

  /** What a next round would be asked with. */
  asking(round: RoundEvent): SessionState {
    const state = new SessionState(this.created);
    for (const [item, label] of this.labels) state.labels.set(item, label);
    for (const item of this.seen) state.seen.add(item);
    for (const item of this.excluded) state.excluded.add(item);
    state.#change(round);
    return state;
  }

  /** The state after one more event. */
  after(events: readonly SessionEvent[]): SessionState {
    const place = events.length - 1;
    const event = events[place] as SessionEvent;
    if (event.type === 'undo') return SessionState.of(events);
    this.#apply(event, place);
    if (event.type !== 'more') this.revision++;
    return this;
  }

  #apply(event: SessionEvent, place: number): void {
    if (event.type === 'labels') {
      this.#label(event);
    } else if (event.type === 'more') {
      this.last?.pages.push(event);
      for (const item of event.suggested) this.seen.add(item);
    } else if (event.type === 'round') {
      this.rounds++;
      this.#change(event);
      for (const item of event.suggested) this.seen.add(item);
      this.last = { place, event, pages: [] };
    }
  }

  #change({ labels, exclude }: RoundEvent): void {
    this.#label(labels);
    for (const item of exclude) this.excluded.add(item);
  }

  /** A label given again counts as new: it moves to the end. */
  #label({ positive, negative, removed }: LabelChange): void {
    const set = (item: number, value: 1 | -1) => {
      this.labels.delete(item);
      this.labels.set(item, value);
    };
    for (const item of removed) this.labels.delete(item);
    for (const item of positive) set(item, 1);
    for (const item of negative) set(item, -1);
  }
}

/** Whether an undo would change anything. */
export function canUndo(events: readonly SessionEvent[]): boolean {
  return placesInEffect(events).length > 1;
}

/**
 * The places of the events that were not undone. An undo takes back the last round and what came after it; where no
 * round is left, the label changes.
 */
function placesInEffect(events: readonly SessionEvent[]): number[] {
  const places: number[] = [];
  for (const [place, { type }] of events.entries()) {
    if (type === 'undo') {
      const round = places.findLastIndex((earlier) => events[earlier]?.type === 'round');
      places.length = Math.max(1, round);
    } else {
      places.push(place);
    }
  }
  return places;
}
