// The protocols of the papers as parts behind one interface: who the simulated users are, how their sessions begin and
// how they answer suggestions.

import type { Collection } from '../../src/index/open.ts';

/** A simulated user: knows which items are relevant and answers truthfully. */
export interface Actor {
  readonly name: string;
  /** Number of relevant items. */
  readonly relevant: number;
  isRelevant(item: number): boolean;
  readonly starts: readonly Start[];
  /** What an lsc searcher has in mind: feature id to value. */
  readonly target?: Readonly<Record<string, number>>;
}

/** The actors of one file. */
export interface ActorSet {
  readonly file: string;
  /** What the starts were drawn with; null where the file names none. */
  readonly seed: number | null;
  readonly actors: readonly Actor[];
}

/** The labels that a session begins with. */
export interface Start {
  readonly seed: number;
  readonly positive: Uint32Array;
  readonly negative: Uint32Array;
}

/** One start being played: the labels of the coming round, and what they become when suggestions are answered. */
export interface Session {
  readonly positive: readonly number[];
  readonly negative: readonly number[];
  answer(suggested: Uint32Array): void | Promise<void>;
  /** Numbers of the whole session, by name, when it has ended; reported as mean and standard error. */
  measures?(): Readonly<Record<string, number>> | Promise<Readonly<Record<string, number>>>;
}

/** What a session may look at besides its actor. */
export interface Setting {
  readonly collection: Collection;
  /** An index of the same items whose vectors are as they came; the collection itself where it is one. */
  readonly space: Collection;
  readonly rounds: number;
  readonly k: number;
  readonly seed: number;
}

/** A protocol with its parameters. */
export interface Plan {
  /** Unless --rounds and --k say otherwise. */
  readonly rounds: number;
  readonly k: number;
  /** Labels of a start, and starts of an actor made from class labels; longer starts of a file are cut to this. */
  readonly start: { readonly positives: number; readonly negatives: number; readonly count: number };
  /** Parameters of systems that know these keys and are given no others. */
  readonly system: Readonly<Record<string, string>>;
  /** The n of found@n: shares of sessions in which a relevant item was suggested by round n. */
  readonly foundAt: readonly number[];
  readonly parameters: Readonly<Record<string, number | string | boolean>>;
  /** Prepares an actor; what it returns begins a session. Throws ActorError when the actor lacks something. */
  play(actor: Actor, setting: Setting): (start: Start) => Session;
}

/** One protocol, by name. */
export interface Protocol {
  readonly name: string;
  readonly summary: string;
  /** Keys of `--protocol NAME,key=value`. */
  readonly keys: readonly string[];
  /** Throws ParameterError (baselines/parameters.ts) for a key or a value that does not fit. */
  plan(parameters: ReadonlyMap<string, string>): Plan;
}

/** Actors that cannot play: names the file or actor, what was expected, what to do. */
export class ActorError extends Error {
  override name = 'ActorError';
}
