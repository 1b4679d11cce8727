// Searches the settings of a round on half of the actors and reports on the other half.

import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { openProtocol, openStages } from '../actors/opening.ts';
import type { Stage } from '../actors/playing.ts';
import type { Actor, Plan } from '../actors/protocol.ts';
import { mix } from '../baselines/mix.ts';
import { inProcess } from '../baselines/round-system.ts';
import { suggestFields } from '../baselines/suggest-fields.ts';
import { mean } from '../measure.ts';
import { betterHalf, type Rung, ranked, rungsFor } from './halving.ts';
import { type MetricName, metrics } from './metric.ts';
import { type PairedDifference, pairedTest } from './paired.ts';
import { type Halves, halvesOf, SessionPlayer, type TunedSession } from './sessions.ts';
import { drawSettings, type Setting, type Space, settingText, spaceOf } from './space.ts';
import { readTuning, type Search, type TuningRecord, writeTuning } from './tuning-file.ts';

export interface TuningRequest {
  readonly directory: string;
  readonly actors: string;
  /** An index of the same items as they came, where the protocol wants one. */
  readonly raw: string | null;
  readonly protocol: string;
  readonly metric: MetricName;
  /** Settings tried at first, the defaults among them. */
  readonly settings: number;
  /** Sessions played to choose, about. */
  readonly budget: number;
  /** null: as the protocol or the actors have it. */
  readonly rounds: number | null;
  readonly k: number | null;
  readonly starts: number | null;
  readonly seed: number;
  /** Values instead of the standard ones, as KEY=VALUE[:VALUE…]. */
  readonly sets: readonly string[];
  /** Where the scores are kept, or null. */
  readonly out: string | null;
  readonly signal: AbortSignal;
  readonly onProgress: (sessions: number, total: number) => void;
}

/** One setting and its mean score. */
export interface Scored {
  readonly system: string;
  readonly sessions: number;
  readonly score: number;
}

export interface TuningResult {
  readonly rungs: readonly Rung[];
  /** Best first, as far as they came. */
  readonly ranking: readonly Scored[];
  readonly best: {
    /** As --system of farsight simulate takes it. */
    readonly system: string;
    /** Fields of the body of POST /v1/collections/{collection}/suggest. */
    readonly suggest: Readonly<Record<string, unknown>>;
  };
  /** Mean over the actors that were kept back, of the mean over their sessions. */
  readonly reporting: {
    readonly sessions: number;
    readonly defaults: number;
    readonly best: number;
    readonly difference: PairedDifference;
  };
}

/** The record that was kept, its result filled in. */
export type Tuned = TuningRecord & { readonly result: TuningResult };

/** Throws ParameterError for what is named wrongly and ActorError for actors or a file that do not fit. */
export async function tune(request: TuningRequest): Promise<Tuned> {
  const { seed, starts, budget, out } = request;
  const { plan } = openProtocol(request.protocol);
  const space = spaceOf(request.sets);
  const [stage] = openStages(
    {
      directories: [request.directory],
      actors: [request.actors],
      spaces: request.raw === null ? [] : [request.raw],
      seed,
    },
    { ...plan.start, count: starts ?? plan.start.count },
  ) as readonly [Stage];
  const halves = halvesOf(request.actors, stage.actors.actors, starts ?? Number.POSITIVE_INFINITY, seed);
  const settings = drawSettings(space, request.settings, seed);
  const rungs = rungsFor(settings.length, budget, halves.choosing.length);
  const search = describeSearch(request, stage, plan, space);
  const before = out === null ? null : readTuning(out, search);
  const scores = new Scores(request, stage, plan, halves, search, before);
  scores.expect(playsOf(rungs) + 2 * halves.reporting.length);

  let left = [...settings.keys()];
  let best = 0;
  const chosen = new Map<number, Scored>();
  for (const { sessions } of rungs) {
    const means = new Map<number, number>();
    for (const number of left) {
      const setting = settings[number] as Setting;
      const score = mean(await scores.choosing(setting, sessions));
      means.set(number, score);
      chosen.set(number, { system: settingText(setting), sessions, score });
    }
    left = [...betterHalf(means)];
    best = ranked(means)[0] ?? 0;
  }
  const [defaults, winner] = [settings[0] as Setting, settings[best] as Setting];
  return scores.finish({
    rungs,
    ranking: rankingOf(chosen),
    best: { system: settingText(winner), suggest: bodyOf(winner, plan, search.k) },
    reporting: reportOf(halves.reporting, await scores.reporting(defaults), await scores.reporting(winner), seed),
  });
}

/** Scores of settings, played or taken from what an earlier run kept; every new one is kept at once. */
class Scores {
  readonly #player: SessionPlayer;
  readonly #stage: Stage;
  readonly #plan: Plan;
  readonly #halves: Halves;
  readonly #request: TuningRequest;
  #record: TuningRecord;
  #done = 0;
  #total = 0;

  constructor(
    request: TuningRequest,
    stage: Stage,
    plan: Plan,
    halves: Halves,
    search: Search,
    before: TuningRecord | null,
  ) {
    const { seed, metric, signal } = request;
    this.#request = request;
    this.#stage = stage;
    this.#plan = plan;
    this.#halves = halves;
    this.#player = new SessionPlayer(stage, plan, { ...search, seed }, metrics[metric], signal);
    this.#record = before ?? {
      kind: 'farsight-tuning',
      version: 1,
      search,
      choosing: namesOf(halves.choosing),
      reporting: namesOf(halves.reporting),
      scores: {},
      reported: {},
      result: null,
    };
  }

  expect(sessions: number): void {
    this.#total = sessions;
  }

  choosing(setting: Setting, count: number): Promise<readonly number[]> {
    return this.#scoresOf('scores', setting, this.#halves.choosing.slice(0, count));
  }

  reporting(setting: Setting): Promise<readonly number[]> {
    return this.#scoresOf('reported', setting, this.#halves.reporting);
  }

  finish(result: TuningResult): Tuned {
    const record = { ...this.#record, result };
    this.#keep(record);
    return record;
  }

  async #scoresOf(
    part: 'scores' | 'reported',
    setting: Setting,
    sessions: readonly TunedSession[],
  ): Promise<readonly number[]> {
    const text = settingText(setting);
    const scores = [...(this.#record[part][text] ?? [])];
    const known = scores.length;
    if (known < sessions.length) {
      const { collection } = this.#stage;
      const system = await inProcess(mix).open(collection, effective(setting, this.#plan), this.#request.signal);
      try {
        for (const session of sessions.slice(known)) {
          scores.push(await this.#player.score(system, session));
          this.#request.onProgress(++this.#done, this.#total);
        }
      } finally {
        // Interrupted too: what was played is kept.
        this.#keep({ ...this.#record, [part]: { ...this.#record[part], [text]: scores } });
        await system.close?.();
      }
    }
    return scores.slice(0, sessions.length);
  }

  #keep(record: TuningRecord): void {
    this.#record = record;
    if (this.#request.out !== null) writeTuning(this.#request.out, record);
  }
}

/** What the protocol sets of a system holds where the setting does not say otherwise. */
function effective(setting: Setting, { system }: Plan): Setting {
  return new Map([...Object.entries(system).filter(([key]) => mix.keys.includes(key)), ...setting]);
}

function bodyOf(setting: Setting, plan: Plan, k: number): Readonly<Record<string, unknown>> {
  return { k, ...suggestFields(mix.choose(effective(setting, plan)).options(k)) };
}

function playsOf(rungs: readonly Rung[]): number {
  return rungs.reduce(
    (sum, { settings, sessions }, r) => sum + settings * (sessions - (rungs[r - 1]?.sessions ?? 0)),
    0,
  );
}

/** Who came further comes first; those that played as many sessions by their score. */
function rankingOf(chosen: ReadonlyMap<number, Scored>): readonly Scored[] {
  const order = ranked(new Map([...chosen].map(([number, { score }]) => [number, score])));
  return order.map((number) => chosen.get(number) as Scored).sort((a, b) => b.sessions - a.sessions);
}

function reportOf(
  sessions: readonly TunedSession[],
  defaults: readonly number[],
  best: readonly number[],
  seed: number,
): TuningResult['reporting'] {
  const [before, after] = [byActor(sessions, defaults), byActor(sessions, best)];
  const differences = after.map((score, actor) => score - (before[actor] as number));
  return {
    sessions: sessions.length,
    defaults: mean(before),
    best: mean(after),
    difference: pairedTest(differences, seed),
  };
}

/** Each actor's mean, in the order in which they first play. */
function byActor(sessions: readonly TunedSession[], scores: readonly number[]): readonly number[] {
  const own = new Map<string, number[]>();
  sessions.forEach(({ actor }, i) => {
    own.set(actor.name, [...(own.get(actor.name) ?? []), scores[i] as number]);
  });
  return [...own.values()].map(mean);
}

function namesOf(sessions: readonly TunedSession[]): string[] {
  return [...new Set(sessions.map(({ actor }) => actor.name))];
}

function describeSearch(request: TuningRequest, stage: Stage, plan: Plan, space: Space): Search {
  const { protocol, metric, starts, seed, settings, budget } = request;
  return {
    protocol,
    metric,
    collection: stage.name,
    generation: stage.collection.generation,
    actors: basename(stage.actors.file),
    actors_hash: hashOf(stage.actors.actors),
    rounds: request.rounds ?? plan.rounds,
    k: request.k ?? plan.k,
    starts,
    seed,
    settings,
    budget,
    space: Object.fromEntries(Object.entries(space).map(([key, values]) => [key, [...values]])),
  };
}

function hashOf(actors: readonly Actor[]): string {
  const hash = createHash('sha256');
  for (const { name, relevant, starts } of actors) {
    const labels = starts.map(({ seed, positive, negative }) => [seed, [...positive], [...negative]]);
    hash.update(JSON.stringify([name, relevant, labels]));
  }
  return hash.digest('hex').slice(0, 16);
}
