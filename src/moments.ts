// Mean and standard deviation of many numbers. What native code writes it sums up itself, in eight lanes, as it writes
// (native/src/sample-scores.h); an exact survey's threshold comes from this one, whose plain order gives other last digits.

export interface Moments {
  readonly mean: number;
  readonly deviation: number;
}

/** Two passes, so that a large mean costs no digits. The deviation is that of the population. */
export function moments(values: Float64Array): Moments {
  if (values.length === 0) return { mean: 0, deviation: 0 };
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += ((values[i] as number) - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / values.length) };
}
