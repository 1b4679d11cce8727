// From the state of a session to a round: what it is asked with, and with which seed.

import type { ServeConfig } from '../config.ts';
import { Problem } from '../errors.ts';
import type { Collection } from '../index/open.ts';
import { seededRandom } from '../random.ts';
import type { Session } from '../sessions/sessions.ts';
import type { SessionState } from '../sessions/state.ts';
import { type PlannedRound, type RoundItems, type RoundSettings, roundOf } from './round-body.ts';
import { seedOf } from './session-access.ts';

/** The items of a round: labels in the order in which they were given, and what is not to be suggested. */
export function itemsOf({ labels, excluded }: SessionState, left: Iterable<number>): RoundItems {
  const labelled = (wanted: 1 | -1) =>
    Uint32Array.from([...labels].filter(([, label]) => label === wanted).map(([item]) => item));
  return { positive: labelled(1), negative: labelled(-1), exclude: Uint32Array.from(new Set([...excluded, ...left])) };
}

/** The seed of a session's next round, so that the same rounds of the same session give the same suggestions. */
export function nextSeed(session: Session): number {
  return seededRandom(seedOf(session), `round ${session.state.rounds + 1}`).below(2 ** 32);
}

/** What the next round of a session would train on. Throws Problem 'no-model' without a positive label. */
export function nextTraining(
  session: Session,
  collection: Collection,
  config: ServeConfig,
  arrivedMs: number,
  own: RoundSettings = {},
): PlannedRound {
  const { state } = session;
  const items = itemsOf(state, state.seen);
  if (items.positive.length === 0) throw new Problem('no-model', 'a model needs one positive label at least');
  const settings = { ...(state.created.settings as RoundSettings), ...own, seed: nextSeed(session) };
  return roundOf(settings, items, collection, { config, arrivedMs });
}
