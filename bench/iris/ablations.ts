// The ablations of the IRIS paper: which samplers share an epoch, and with how many items each.

/** A system of the harness with a items of SpreadS and b of the other sampler an epoch. */
export interface Ablation {
  readonly system: string;
  readonly a: number;
  readonly b: number;
  readonly parameters: Readonly<Record<string, string>>;
}

const ZETAS = ['0', '0.25', '0.5', '0.75', '1'];
const SEGMENTS = ['5', '10', '20'];
const ALPHAS = ['1', '2', '4'];
/** As the paper has them: zeta 1, N 10; alpha as the final sweep. */
const GRID = { zeta: '1', segments: '10' } as const;

/** Those that are played at every budget: a is what SpreadS has of an epoch, and the other sampler as much again. */
export function budgetAblations(a: number): readonly Ablation[] {
  return [
    ...[a, 2 * a, 4 * a].map((alone) => ({ system: 'spread', a: alone, b: 0, parameters: {} })),
    mixture('spread+uniform', a, {}),
    mixture('spread+rand', a, {}),
    mixture('spread+grid', a, GRID),
    { system: 'manual', a: 0, b: 2 * a, parameters: {} },
  ];
}

/** Those of one budget: alpha of RandS, zeta and N of GridS where they are not what every budget has. */
export function sweepAblations(a: number): readonly Ablation[] {
  const grids = SEGMENTS.flatMap((segments) => ZETAS.map((zeta) => ({ zeta, segments })));
  return [
    ...ALPHAS.map((alpha) => mixture('spread+rand', a, { alpha })),
    ...grids
      .filter(({ zeta, segments }) => zeta !== GRID.zeta || segments !== GRID.segments)
      .map((grid) => mixture('spread+grid', a, grid)),
  ];
}

function mixture(system: string, a: number, parameters: Readonly<Record<string, string>>): Ablation {
  return { system, a, b: a, parameters: { ...parameters, share: '0.5' } };
}
