// What farsight tune searches over: the parameters of the system `mix`, each with the values it may take. A value that
// stands twice is drawn twice as often.

import { type Random, seededRandom } from '../../src/random.ts';
import { SAMPLERS } from '../../src/samplers/sampler.ts';
import { mix } from '../baselines/mix.ts';
import { ParameterError } from '../baselines/parameters.ts';

export type Space = Readonly<Record<string, readonly string[]>>;

/** Parameters of `mix` by key; those that are not named keep their defaults. */
export type Setting = ReadonlyMap<string, string>;

/**
 * Costs in steps of half a power of ten; units of the hidden layers of a network (0: logistic regression); parts of the mix (a and b of IRIS), of which every fourth setting has one
 * sampler or two; alpha of RandS; m, N and zeta of GridS. The width of the search is left alone: wider is never worse,
 * and what it costs is time.
 */
export const SPACE: Space = {
  model: ['linear_svm', 'linear_svm', 'linear_svm', 'mlp', 'rocchio'],
  c: ['0.1', '0.3', '1', '3', '10', '30', '100', '300', '1000'],
  hidden: ['0', '16', '32', '64', '32+16'],
  loss: ['squared_hinge', 'hinge'],
  positive_weight: ['1', '1', '0.3', '3'],
  negative_weight: ['0', '0.25', '0.5', '1'],
  farthest: ['1', '2', '4', '0'],
  spread: ['0', '0', '1', '2'],
  random: ['0', '0', '1', '2'],
  grid: ['0', '0', '1', '2'],
  from: ['positives', 'seeds', 'latest'],
  count: ['1', '2', '5', '10', '20'],
  alpha: ['0', '0.5', '1', '1.5', '2', '2.5', '3', '4'],
  components: ['2', '3'],
  grid_segments: ['5', '10', '20'],
  zeta: ['0', '0.25', '0.5', '0.75', '1'],
  diversity: ['1', '1', '0.99', '0.95', '0.9', '0.8'],
};

/** Keys that take effect only beside others. */
const NEEDS: Readonly<Record<string, (setting: Setting) => boolean>> = {
  c: (setting) => setting.get('model') !== 'rocchio',
  hidden: (setting) => setting.get('model') === 'mlp',
  loss: (setting) => setting.get('model') === 'linear_svm',
  positive_weight: (setting) => setting.get('model') !== 'mlp',
  negative_weight: (setting) => setting.get('model') === 'rocchio',
  from: (setting) => setting.get('spread') !== '0',
  count: (setting) => setting.get('spread') !== '0' && setting.get('from') !== 'positives',
  alpha: (setting) => setting.get('random') !== '0',
  components: (setting) => setting.get('grid') !== '0',
  grid_segments: (setting) => setting.get('grid') !== '0',
  zeta: (setting) => setting.get('grid') !== '0',
};

/** Draws of one setting before a space is taken for exhausted. */
const MOST_DRAWS = 1000;

/** The standard space with the values of `--set key=value[:value…]` instead. Throws ParameterError. */
export function spaceOf(texts: readonly string[]): Space {
  const space: Record<string, readonly string[]> = { ...SPACE };
  for (const text of texts) {
    const [, key = '', list = ''] = /^([a-z_]+)=(.+)$/.exec(text) ?? [];
    const values = list.split(':');
    if (key === '' || values.includes('')) {
      throw new ParameterError(`--set ${text}: expected KEY=VALUE or KEY=VALUE:VALUE:…`);
    }
    // Each value by itself, beside a mix that is not empty: the system says what it may be.
    for (const value of values)
      mix.choose(
        new Map([
          ['spread', '1'],
          [key, value],
        ]),
      );
    space[key] = values;
  }
  return space;
}

/** The first is what there is without tuning: no parameter at all. The others differ; fewer than asked for when no more do. */
export function drawSettings(space: Space, count: number, seed: number): readonly Setting[] {
  const random = seededRandom(seed, 'settings');
  const settings: Setting[] = [new Map()];
  const known = new Set<string>();
  for (let draws = 0; settings.length < count && draws < MOST_DRAWS; draws++) {
    const setting = drawSetting(space, random);
    const text = settingText(setting);
    if (known.has(text)) continue;
    known.add(text);
    settings.push(setting);
    draws = 0;
  }
  return settings;
}

/** As `--system` of farsight simulate takes it. */
export function settingText(setting: Setting): string {
  return ['mix', ...[...setting].map(([key, value]) => `${key}=${value}`)].join(',');
}

function drawSetting(space: Space, random: Random): Setting {
  const drawn = new Map<string, string>();
  // Every key is drawn, whether it takes effect or not: so what one key may be does not change the draws of others.
  for (const [key, values] of Object.entries(space)) drawn.set(key, values[random.below(values.length)] as string);
  const parts: number[] = SAMPLERS.map((name) => Number(drawn.get(name)));
  if (!parts.some((part) => part > 0)) parts[SAMPLERS.indexOf('farthest')] = 1;
  const divisor = parts.every(Number.isInteger) ? parts.reduce(greatestDivisor) : 1;
  SAMPLERS.forEach((name, s) => void drawn.set(name, `${(parts[s] as number) / divisor}`));
  const takesEffect = (key: string): boolean => NEEDS[key]?.(drawn) ?? true;
  return new Map([...drawn].filter(([key, value]) => takesEffect(key) && !isIdle(key, value)));
}

/** A sampler without a part need not be named, but for the one that has one by default. */
function isIdle(key: string, value: string): boolean {
  return value === '0' && key !== 'farthest' && SAMPLERS.some((name) => name === key);
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
