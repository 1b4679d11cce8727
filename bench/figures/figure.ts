// The interface of a figure, and what all share: fonts, sizes, legends, error bars and reference lines.

import type { TopLevelSpec } from 'vega-lite';
import type { Axis } from './axes.ts';
import type { ResultSet } from './result-set.ts';
import { PAPER_COLOR, type Series } from './systems.ts';

/** One figure of the papers. */
export interface Figure {
  /** The name of its files. */
  readonly name: string;
  readonly experiment: ResultSet['experiment'];
  /** The picture, or the reason why the results hold none. */
  draw(set: ResultSet): Drawing | string;
}

export interface Drawing {
  readonly title: string;
  /** What the figure shows and how to read it, in a sentence or two. */
  readonly caption: string;
  readonly spec: TopLevelSpec;
  /** The numbers as Markdown tables. */
  readonly markdown?: string;
}

export type Layer = Extract<TopLevelSpec, { layer: unknown }>['layer'][number];

const WIDTH = 620;
const HEIGHT = 340;
/** The font that render.ts brings. */
export const FONT = 'DejaVu Sans';
const SCHEMA = 'https://vega.github.io/schema/vega-lite/v6.json';

/** A chart of several layers. Its title is followed by what was measured where. */
export function chart(set: ResultSet, title: string, layer: readonly Layer[], width = WIDTH): TopLevelSpec {
  return { ...frame(set, title), width, height: HEIGHT, layer: [...layer] };
}

/** What every picture has around it. */
export function frame(set: ResultSet, title: string) {
  const sessions = [...new Set(set.runs.map((run) => run.sessions.toLocaleString('en')))].join(' or ');
  const over = set.over === 'http' ? 'over HTTP' : 'in process';
  const subtitle = [
    `${set.collection}: ${set.items.toLocaleString('en')} items; ${sessions} sessions a run, ${over}`,
    `${set.machine}; ${set.date.slice(0, 10)}`,
  ];
  return {
    $schema: SCHEMA,
    // render.ts crops the picture and puts white behind it.
    background: 'transparent',
    title: { text: title, subtitle },
    config: {
      font: FONT,
      title: {
        fontSize: 15,
        subtitleFontSize: 11,
        anchor: 'start',
        offset: 12,
        subtitleColor: '#444444',
        subtitlePadding: 5,
      },
      axis: {
        labelFontSize: 12,
        titleFontSize: 13,
        titleFontWeight: 'normal',
        gridColor: '#e4e4e4',
        labelFlush: false,
        labelOverlap: false,
        domainColor: '#888888',
        tickColor: '#888888',
        labelLimit: 0,
      },
      legend: {
        labelFontSize: 12,
        titleFontSize: 12,
        labelLimit: 0,
        symbolSize: 90,
        symbolStrokeWidth: 1.5,
        rowPadding: 5,
      },
      view: { stroke: null },
    },
  } as const;
}

/** Colour and mark of each series, as one legend. */
export function legend(series: readonly Series[]) {
  const domain = series.map(({ title }) => title);
  return {
    color: {
      field: 'series',
      type: 'nominal',
      title: null,
      scale: { domain, range: series.map(({ color }) => color) },
    },
    shape: {
      field: 'series',
      type: 'nominal',
      title: null,
      scale: { domain, range: series.map(({ shape }) => shape) },
    },
  } as const;
}

/** A mark of a chart; the range, where there is one, is a standard error or what the caption says. */
export interface Point {
  readonly series: string;
  readonly low: number | null;
  readonly high: number | null;
  /** Whether a line joins the points of its series, in this order. */
  readonly joined: boolean;
  readonly order: number;
}

/** A layer over values; no layer without any, because an axis cannot be laid out over nothing. */
export function layerOf(values: readonly object[], layer: Layer): Layer[] {
  return values.length === 0 ? [] : [{ ...layer, data: { values: [...values] as Record<string, unknown>[] } }];
}

/** Points, the line that joins those of a series, and the range of each where it has one. */
export function pointsAndLines(points: readonly Point[], x: Axis, y: Axis, series: readonly Series[]): Layer[] {
  const { color, shape } = legend(series);
  return [
    ...layerOf(points.filter(hasRange), {
      mark: { type: 'rule', strokeWidth: 1.2 },
      encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
    }),
    ...layerOf(
      points.filter(({ joined }) => joined),
      {
        mark: { type: 'line', strokeWidth: 1.8 },
        encoding: { x, y, color, order: { field: 'order', type: 'quantitative' } },
      },
    ),
    ...layerOf(points, {
      mark: { type: 'point', filled: true, size: 70, opacity: 1 },
      encoding: { x, y, color, shape },
    }),
  ];
}

export function hasRange({ low }: Pick<Point, 'low'>): boolean {
  return low !== null;
}

/** A dashed grey line of a published figure, with its label along it. */
export function paperLine(axis: 'x' | 'y', value: number, label: string, channel: Axis): Layer[] {
  const data = { values: [{ value, label }] };
  const position = { ...channel, field: 'value' };
  const rule = { color: PAPER_COLOR, strokeDash: [5, 4], strokeWidth: 1.2 };
  const text = { type: 'text', color: PAPER_COLOR, fontSize: 11 } as const;
  return axis === 'y'
    ? [
        { data, mark: { type: 'rule', ...rule }, encoding: { y: position } },
        {
          data,
          mark: { ...text, align: 'left', baseline: 'bottom', dx: 4, dy: -2 },
          encoding: { y: position, x: { value: 0 }, text: { field: 'label' } },
        },
      ]
    : [
        { data, mark: { type: 'rule', ...rule }, encoding: { x: position } },
        {
          data,
          mark: { ...text, align: 'right', baseline: 'bottom', angle: 270, dx: -4, dy: -3 },
          encoding: { x: position, y: { value: 0 }, text: { field: 'label' } },
        },
      ];
}

/** Mean and one standard error to either side; without an error there is no bar. */
export function withError(value: number, error: number | null): { low: number | null; high: number | null } {
  return error === null ? { low: null, high: null } : { low: Math.max(0, value - error), high: value + error };
}
