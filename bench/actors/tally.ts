// What the sessions of one system come to: precision, recall and latency by round, found@n, measures of a protocol.
//
// A number is the mean over sessions; its standard error is that of the actors' means, because sessions of one actor are
// alike: s / sqrt(actors). With one actor it is that of the sessions.

import { mean, quantiles } from '../measure.ts';

export interface Latency {
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface RoundSummary {
  readonly round: number;
  /** Sessions that had suggestions in this round. */
  readonly sessions: number;
  readonly precision: number;
  readonly precision_se: number;
  readonly recall: number;
  readonly recall_se: number;
  readonly latency_ms: Latency;
}

export interface Summary {
  readonly sessions: number;
  readonly rounds: readonly RoundSummary[];
  /** Mean over the rounds of a session. */
  readonly precision: number;
  readonly precision_se: number;
  /** When a session ended. */
  readonly recall: number;
  readonly recall_se: number;
  /** Share of sessions in which a relevant item was suggested by round n. */
  readonly found?: Readonly<Record<string, number>>;
  readonly found_se?: Readonly<Record<string, number>>;
  readonly measures?: Readonly<Record<string, { readonly mean: number; readonly se: number }>>;
  readonly latency_ms: Latency;
}

/** One round of a session. */
export interface PlayedRound {
  readonly suggested: number;
  readonly relevant: number;
  readonly latencyMs: number;
}

interface PlayedSession {
  readonly actor: string;
  readonly precision: readonly number[];
  readonly recall: readonly number[];
  readonly latencyMs: readonly number[];
  /** The first round with a relevant suggestion, or Infinity. */
  readonly found: number;
  readonly measures: Readonly<Record<string, number>>;
}

export class Tally {
  readonly #sessions: PlayedSession[] = [];

  /** Takes in a session; `relevant` is the number of items its actor looks for. */
  add(
    actor: string,
    relevant: number,
    rounds: readonly PlayedRound[],
    measures: Readonly<Record<string, number>>,
  ): void {
    let found = 0;
    const recall = rounds.map((round) => {
      found += round.relevant;
      return found / relevant;
    });
    const first = rounds.findIndex((round) => round.relevant > 0);
    this.#sessions.push({
      actor,
      precision: rounds.map((round) => round.relevant / round.suggested),
      recall,
      latencyMs: rounds.map(({ latencyMs }) => latencyMs),
      found: first < 0 ? Number.POSITIVE_INFINITY : first + 1,
      measures,
    });
  }

  /** `foundAt`: the n of found@n. */
  summary(foundAt: readonly number[]): Summary {
    const played = this.#sessions.filter(({ precision }) => precision.length > 0);
    if (played.length === 0) throw new RangeError('no system answered any session: is there an item left to suggest?');
    const most = Math.max(...played.map(({ precision }) => precision.length));
    const rounds = Array.from({ length: most }, (_, r) => summarizeRound(played, r));
    const precision = estimate(played, (session) => mean(session.precision));
    const recall = estimate(played, (session) => session.recall.at(-1) as number);
    const found = foundAt
      .filter((n) => n <= most)
      .map((n) => [n, estimate(played, (session) => (session.found <= n ? 1 : 0))] as const);
    const names = [...new Set(played.flatMap((session) => Object.keys(session.measures)))];
    const measures = names.map((name) => {
      const having = played.filter((session) => name in session.measures);
      return [name, estimate(having, (session) => session.measures[name] as number)] as const;
    });
    return {
      sessions: this.#sessions.length,
      rounds,
      precision: precision.mean,
      precision_se: precision.se,
      recall: recall.mean,
      recall_se: recall.se,
      ...(found.length === 0
        ? {}
        : {
            found: Object.fromEntries(found.map(([n, share]) => [n, share.mean])),
            found_se: Object.fromEntries(found.map(([n, share]) => [n, share.se])),
          }),
      ...(measures.length === 0 ? {} : { measures: Object.fromEntries(measures) }),
      latency_ms: latencyOf(played.flatMap(({ latencyMs }) => latencyMs)),
    };
  }
}

function summarizeRound(played: readonly PlayedSession[], r: number): RoundSummary {
  const sessions = played.filter(({ precision }) => precision.length > r);
  const precision = estimate(sessions, (session) => session.precision[r] as number);
  const recall = estimate(sessions, (session) => session.recall[r] as number);
  return {
    round: r + 1,
    sessions: sessions.length,
    precision: precision.mean,
    precision_se: precision.se,
    recall: recall.mean,
    recall_se: recall.se,
    latency_ms: latencyOf(sessions.map(({ latencyMs }) => latencyMs[r] as number)),
  };
}

/** Mean over sessions and standard error over actors. */
function estimate(
  sessions: readonly PlayedSession[],
  value: (session: PlayedSession) => number,
): { readonly mean: number; readonly se: number } {
  const byActor = new Map<string, number[]>();
  for (const session of sessions) {
    const values = byActor.get(session.actor) ?? [];
    values.push(value(session));
    byActor.set(session.actor, values);
  }
  const values = sessions.map(value);
  return { mean: mean(values), se: standardError(byActor.size > 1 ? [...byActor.values()].map(mean) : values) };
}

/** Of the mean of independent values; 0 of a single one, which says nothing about its error. */
function standardError(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}

function latencyOf(values: readonly number[]): Latency {
  const { median, p95, p99, max } = quantiles(values);
  return { mean: mean(values), p50: median, p95, p99, max };
}
