// The result of `farsight simulate`: its form, read and checked once.

import { readFileSync, statSync } from 'node:fs';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';

/** A result holds a few numbers per run and round; anything larger is another file. */
export const MAX_RESULT_BYTES = 64 * 1024 * 1024;
const MAX_RUNS = 10_000;
const MAX_ROUNDS = 10_000;
const MAX_NAME = 200;

const Name = Type.String({ minLength: 1, maxLength: MAX_NAME });
const Share = Type.Number({ minimum: 0, maximum: 1 });
/** Null where one session gives no spread. */
const Spread = Type.Union([Type.Number({ minimum: 0 }), Type.Null()]);
const Milliseconds = Type.Number({ exclusiveMinimum: 0 });
const Latency = Type.Object({
  mean: Milliseconds,
  p50: Milliseconds,
  p95: Milliseconds,
  p99: Milliseconds,
  max: Milliseconds,
});
const Round = Type.Object({
  round: Type.Integer({ minimum: 1 }),
  precision: Share,
  precision_se: Spread,
  latency_ms: Latency,
});
const Run = Type.Object({
  system: Name,
  parameters: Type.Record(Type.String(), Type.Union([Type.Number(), Type.String(), Type.Boolean(), Type.Null()])),
  sessions: Type.Integer({ minimum: 1 }),
  rounds: Type.Array(Round, { minItems: 1, maxItems: MAX_ROUNDS }),
  precision: Share,
  precision_se: Spread,
  latency_ms: Latency,
  /** found@n: the share of sessions that were shown a ground-truth item by round n. */
  found: Type.Optional(Type.Record(Type.String({ pattern: '^[1-9][0-9]{0,5}$' }), Share)),
  found_se: Type.Optional(Type.Record(Type.String(), Spread)),
  /** Of a protocol of its own: IRIS has the composite metric, sqrt(discovery rate * labelling efficiency). */
  measures: Type.Optional(Type.Record(Type.String(), Type.Object({ mean: Type.Number(), se: Spread }))),
});
/** A difference of two systems' measures at one budget of IRIS, tested in pairs over the classes. */
const Difference = Type.Object({
  seeds: Type.Integer({ minimum: 1 }),
  system: Name,
  measure: Name,
  beside: Name,
  beside_measure: Name,
  /** Of the system beside. */
  a: Type.Integer({ minimum: 0 }),
  mean: Type.Number(),
  se: Type.Number({ minimum: 0 }),
  p: Share,
});
const Simulation = Type.Object({
  kind: Type.Literal('farsight-simulation'),
  version: Type.Literal(1),
  protocol: Type.Enum(['imagenet', 'imagenet-unknown', 'yfcc100m', 'lsc', 'iris']),
  date: Name,
  machine: Type.Record(Type.String(), Type.Unknown()),
  collection: Type.Object({ name: Name, generation: Type.String(), items: Type.Integer({ minimum: 1 }) }),
  over: Type.Enum(['process', 'http']),
  runs: Type.Array(Run, { minItems: 1, maxItems: MAX_RUNS }),
  differences: Type.Optional(Type.Array(Difference, { maxItems: MAX_RUNS })),
});

export type Run = Static<typeof Run>;
export type Difference = Static<typeof Difference>;
export type Latency = Static<typeof Latency>;
export type Protocol = Static<typeof Simulation>['protocol'];
export type Simulation = Static<typeof Simulation> & { readonly file: string };

const check = Compile(Simulation);

/** Reads a result. Throws an error that names the file, the field, what it holds and what was expected. */
export function readSimulation(file: string): Simulation {
  const { size } = statSync(file);
  if (size > MAX_RESULT_BYTES) {
    throw new Error(`${file}: ${size} bytes, a simulation result has at most ${MAX_RESULT_BYTES}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: not valid JSON (${(error as Error).message}); write it with farsight simulate --out`);
  }
  if (check.Check(value)) return { ...value, file };
  // The deepest complaint is the most telling one: the others say only that a part of the whole is wrong.
  const [error] = check.Errors(value).sort((a, b) => depth(b.instancePath) - depth(a.instancePath));
  const path = error?.instancePath ?? '';
  const held = JSON.stringify(at(value, path)) ?? 'missing';
  throw new Error(`${file}: ${path === '' ? 'the file' : path} ${error?.message}, but is ${shorten(held)}`);
}

function depth(path: string): number {
  return path.split('/').length;
}

/** What a JSON pointer leads to. */
function at(value: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce<unknown>(
      (part, key) => (part as Record<string, unknown> | undefined)?.[key.replaceAll('~1', '/').replaceAll('~0', '~')],
      value,
    );
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}
