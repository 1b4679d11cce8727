// The axes that figures share: shares from 0, latencies and b on logarithmic scales.

/** Decades of a logarithmic axis whose ticks at 1, 2 and 5 can all have labels. */
const MOST_FINE_DECADES = 5;

/** A quantitative axis. */
export interface Axis {
  readonly field: string;
  readonly type: 'quantitative';
  readonly title: string;
  readonly scale: {
    readonly type: 'log' | 'linear';
    readonly base?: number;
    readonly zero?: boolean;
    readonly nice?: boolean;
    readonly domain?: number[];
  };
  readonly axis?: { readonly values?: number[]; readonly format?: string; readonly grid?: boolean };
}

/** A linear axis from 0 for shares: precision, found@n, the composite metric. */
export function shareAxis(field: string, title: string): Axis {
  return { field, type: 'quantitative', title, scale: { type: 'linear', zero: true, nice: true } };
}

/** A logarithmic axis for latencies over what is shown, with ticks at 1, 2 and 5 of each decade while they have room. */
export function millisecondsAxis(field: string, title: string, shown: readonly number[]): Axis {
  const first = Math.floor(Math.log10(Math.min(...shown)));
  const last = Math.ceil(Math.log10(Math.max(...shown)));
  const decades = Array.from({ length: last - first + 1 }, (_, i) => Number(`1e${first + i}`));
  const steps = last - first > MOST_FINE_DECADES ? [1] : [1, 2, 5];
  const ticks = decades.flatMap((decade) => steps.map((step) => Number((step * decade).toPrecision(1))));
  const low = Math.max(...ticks.filter((tick) => tick <= Math.min(...shown)));
  const high = Math.min(...ticks.filter((tick) => tick >= Math.max(...shown) && tick > low));
  return {
    field,
    type: 'quantitative',
    title,
    scale: { type: 'log', domain: [low, high], nice: false },
    axis: { values: ticks.filter((tick) => tick >= low && tick <= high), format: ',~g' },
  };
}

/** The axis of b: powers of two, as in the paper. */
export function clustersAxis(field: string, shown: readonly number[]): Axis {
  const low = Math.floor(Math.log2(Math.min(...shown)));
  const high = Math.max(low + 1, Math.ceil(Math.log2(Math.max(...shown))));
  return {
    field,
    type: 'quantitative',
    title: 'Search expansion b, clusters read per modality and round (log scale)',
    scale: { type: 'log', base: 2, domain: [2 ** low, 2 ** high], nice: false },
    axis: { values: Array.from({ length: high - low + 1 }, (_, i) => 2 ** (low + i)), format: 'd' },
  };
}
