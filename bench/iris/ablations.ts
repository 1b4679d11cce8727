// The ablations of the IRIS paper: which samplers share an epoch, and with how many items each.

/** A system of the harness with a items of SpreadS and b of the other sampler an epoch. */
export interface Ablation {
  readonly system: string;
  readonly a: number;
  readonly b: number;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The paper's a, and what beside it keeps the labels of an epoch equal. */
const A = 50;
const B = 50;
const ZETAS = ['0', '0.25', '0.5', '0.75', '1'];
const SEGMENTS = ['5', '10', '20'];
const ALPHAS = ['1', '2', '4'];
/** As the paper has them: zeta 1, N 10; alpha as the final sweep. */
const GRID = { zeta: '1', segments: '10' } as const;

/** Those that are played at every budget. */
export function budgetAblations(): readonly Ablation[] {
  return [
    ...[A, A + B, 4 * A].map((a) => ({ system: 'spread', a, b: 0, parameters: {} })),
    mixture('spread+uniform', {}),
    mixture('spread+rand', {}),
    mixture('spread+grid', GRID),
    { system: 'manual', a: 0, b: A + B, parameters: {} },
  ];
}

/** Those of one budget: alpha of RandS, zeta and N of GridS where they are not what every budget has. */
export function sweepAblations(): readonly Ablation[] {
  const grids = SEGMENTS.flatMap((segments) => ZETAS.map((zeta) => ({ zeta, segments })));
  return [
    ...ALPHAS.map((alpha) => mixture('spread+rand', { alpha })),
    ...grids
      .filter(({ zeta, segments }) => zeta !== GRID.zeta || segments !== GRID.segments)
      .map((grid) => mixture('spread+grid', grid)),
  ];
}

function mixture(system: string, parameters: Readonly<Record<string, string>>): Ablation {
  return { system, a: A, b: B, parameters: { ...parameters, share: `${A / (A + B)}` } };
}
