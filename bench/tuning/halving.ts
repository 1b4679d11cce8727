// Successive halving (Jamieson and Talwalkar 2016): all settings play a few sessions, the better half plays more, and so
// on until one is left beside the defaults, which take part to the end. Every rung has an equal part of the budget.

export interface Rung {
  /** Settings that take part, the defaults among them. */
  readonly settings: number;
  /** Sessions each has played at the end of it, those of earlier rungs among them. */
  readonly sessions: number;
}

/** `available`: sessions there are. A rung's sessions are one at least, so that the smallest budgets are exceeded. */
export function rungsFor(settings: number, budget: number, available: number): readonly Rung[] {
  const sizes: number[] = [];
  for (let left = settings; left >= 2; left = left === 2 ? 1 : remaining(left)) sizes.push(left);
  return sizes.map((size) => ({
    settings: size,
    sessions: Math.min(available, Math.max(1, Math.floor(budget / sizes.length / size))),
  }));
}

/** The defaults (setting 0) and the better half of the others by mean score, the earlier first among equals. */
export function betterHalf(scores: ReadonlyMap<number, number>): readonly number[] {
  const others = ranked(scores).filter((setting) => setting !== 0);
  return [0, ...others.slice(0, remaining(scores.size) - 1)];
}

/** The defaults and half of the others, rounded up. */
function remaining(settings: number): number {
  return 1 + Math.ceil((settings - 1) / 2);
}

/** Best first. */
export function ranked(scores: ReadonlyMap<number, number>): readonly number[] {
  return [...scores].sort(([a, scoreOfA], [b, scoreOfB]) => scoreOfB - scoreOfA || a - b).map(([setting]) => setting);
}
