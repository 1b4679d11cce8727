// How each system is called and drawn: one colour and one mark, the same in every picture.

import type { ProtocolRun } from './result-set.ts';

interface Look {
  readonly title: string;
  /** Further ones tell apart the series of one system. */
  readonly colors: readonly [string, ...string[]];
  readonly shape: string;
}

/** The palette of Okabe and Ito (2008), which people with any colour vision tell apart. */
const BLACK = '#000000';
const ORANGE = '#e69f00';
const SKY = '#56b4e9';
const GREEN = '#009e73';
const BLUE = '#0072b2';
const VERMILLION = '#d55e00';
const PURPLE = '#cc79a7';
const GREY = '#7f7f7f';

/** Every system of the harness, in the order of legends. */
const LOOKS: Readonly<Record<string, Look>> = {
  exquisitor: { title: 'Exquisitor', colors: [BLUE, SKY, PURPLE], shape: 'circle' },
  blackthorn: { title: 'Blackthorn', colors: [BLACK], shape: 'diamond' },
  'svm-lsh': { title: 'SVM + LSH', colors: [GREEN], shape: 'square' },
  'knn-ecp': { title: 'kNN + eCP', colors: [ORANGE], shape: 'triangle-up' },
  'knn-lsh': { title: 'kNN + LSH', colors: [VERMILLION], shape: 'triangle-down' },
  hnsw: { title: 'SVM + HNSW', colors: [PURPLE], shape: 'cross' },
  float: { title: 'SVM, plain float32', colors: [GREY], shape: 'triangle-right' },
  manual: { title: 'manual', colors: [GREY], shape: 'triangle-left' },
  spread: { title: 'SpreadS', colors: [BLUE], shape: 'square' },
  'spread+uniform': { title: 'SpreadS + uniform', colors: [ORANGE], shape: 'diamond' },
  'spread+rand': { title: 'SpreadS + RandS', colors: [GREEN], shape: 'circle' },
  mix: { title: 'mix', colors: [PURPLE], shape: 'square' },
  'spread+grid': { title: 'SpreadS + GridS', colors: [VERMILLION], shape: 'cross' },
};

/** For the second, third … series of a system. */
const FURTHER_SHAPES = ['square', 'diamond', 'cross', 'triangle-up', 'triangle-down'];

/** Known and unknown concepts, in the paper's colours of the kind. */
export const KNOWN_COLOR = BLUE;
export const UNKNOWN_COLOR = VERMILLION;
export const PAPER_COLOR = '#5f5f5f';

/** Parameters that one system is walked through: a curve or a cloud of marks, not a series for each value. */
const SWEPT: ReadonlySet<string> = new Set(['clusters', 'tables', 'buckets', 'probes', 'ef', 'seeds']);
/** What systems report beside their parameters. */
const REPORTED = ['built_seconds'];
/** Every run is a series of its own. */
export const NOTHING_SWEPT: ReadonlySet<string> = new Set();
/** The papers' names of parameters. */
const SYMBOLS: Readonly<Record<string, string>> = {
  clusters: 'b',
  segments: 'S_c',
  workers: 'w',
  candidates: 'r',
  tables: 'L',
  buckets: 'B',
  probes: 'p',
};

export interface Series {
  readonly title: string;
  readonly color: string;
  readonly shape: string;
  readonly runs: readonly ProtocolRun[];
}

/** The runs of a picture as series: a system, split where a parameter varies that is not swept. */
export function seriesOf(runs: readonly ProtocolRun[], swept: ReadonlySet<string> = SWEPT): readonly Series[] {
  return Object.entries(LOOKS).flatMap(([name, { title, colors, shape }]) => {
    const own = runs.filter(({ system }) => system === name);
    const varying = varyingParameters(own).filter((key) => !swept.has(key));
    const groups = new Map<string, ProtocolRun[]>();
    for (const run of [...own].sort((a, b) => compareBy(varying, a, b))) {
      const label = labelled(title, run, varying);
      groups.set(label, [...(groups.get(label) ?? []), run]);
    }
    return [...groups].map(([label, members], i) => ({
      title: label,
      color: colors[Math.min(i, colors.length - 1)] as string,
      shape: i === 0 ? shape : (FURTHER_SHAPES[(i - 1) % FURTHER_SHAPES.length] as string),
      runs: members,
    }));
  });
}

/** How a system is called. */
export function titleOf(system: string): string {
  return LOOKS[system]?.title ?? system;
}

/** A name for each run that no other run of the picture has: the system with every parameter that varies. */
export function runLabels(runs: readonly ProtocolRun[]): ReadonlyMap<ProtocolRun, string> {
  return new Map(
    Object.entries(LOOKS).flatMap(([name, { title }]) => {
      const own = runs.filter(({ system }) => system === name);
      const varying = varyingParameters(own);
      return [...own]
        .sort((a, b) => compareBy(varying, a, b))
        .map((run) => [run, labelled(title, run, varying)] as const);
    }),
  );
}

/** Refuses systems that have no look, rather than draw them like another. */
export function checkSystems(runs: readonly ProtocolRun[], files: readonly string[]): void {
  for (const { system } of runs) {
    if (Object.hasOwn(LOOKS, system)) continue;
    throw new Error(
      `${files.join(', ')}: unknown system ${JSON.stringify(system)}; ` +
        `known are ${Object.keys(LOOKS).join(', ')}, a new one gets its name and colour in bench/figures/systems.ts`,
    );
  }
}

function labelled(title: string, { parameters }: ProtocolRun, keys: readonly string[]): string {
  const told = keys
    .filter((key) => parameters[key] != null)
    .map((key) => `${SYMBOLS[key] ?? key} = ${parameters[key]}`);
  return [title, ...told].join(', ');
}

function varyingParameters(runs: readonly ProtocolRun[]): string[] {
  const keys = new Set(runs.flatMap(({ parameters }) => Object.keys(parameters)));
  for (const key of REPORTED) keys.delete(key);
  return [...keys].filter((key) => new Set(runs.map(({ parameters }) => parameters[key])).size > 1);
}

function compareBy(keys: readonly string[], a: ProtocolRun, b: ProtocolRun): number {
  for (const key of keys) {
    const [left, right] = [a.parameters[key] ?? '', b.parameters[key] ?? ''];
    const order =
      typeof left === 'number' && typeof right === 'number'
        ? left - right
        : String(left).localeCompare(String(right), 'en');
    if (order !== 0) return order;
  }
  return 0;
}
