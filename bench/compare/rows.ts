// The numbers of a bench run, by names that two revisions have in common. A name is made of what identifies a row in the
// result file (collection, labels, kernel, form …) and of the metric, so benches need no second form of output.

export interface MeasuredRow {
  readonly name: string;
  readonly value: number;
  readonly better: 'lower' | 'higher';
}

/** Fields that say what was measured. */
const IDENTITY = new Set([
  ...['name', 'dataset', 'collection', 'modality', 'labels', 'search', 'kernel', 'form', 'format', 'connections'],
  ...['set', 'loss', 'c', 'items', 'threads', 'case'],
]);
/** Fields that hold measured costs, at any depth; below `ns` and `rssMb` there is one for each instruction set or moment. */
const METRICS: Readonly<Record<string, MeasuredRow['better']>> = {
  cpu: 'lower',
  'wall.median': 'lower',
  'wall.p99': 'lower',
  'ns.*': 'lower',
  ms: 'lower',
  oursMs: 'lower',
  p50Ms: 'lower',
  p99Ms: 'lower',
  serverCpuMs: 'lower',
  roundsPerSecond: 'higher',
  'rssMb.*': 'lower',
  rssMib: 'lower',
};
/** Fields of every run that describe it, and lists whose own name says nothing. */
const DESCRIPTION = new Set(['name', 'date', 'command', 'machine', 'revision']);
const PLAIN_LISTS = new Set(['results', 'rows']);

/** The rows of a parsed bench/runs file, in its order. Throws when two have the same name. */
export function measuredRows(run: Readonly<Record<string, unknown>>): readonly MeasuredRow[] {
  const rows: MeasuredRow[] = [];
  const kept = Object.fromEntries(Object.entries(run).filter(([key]) => !DESCRIPTION.has(key)));
  collect(kept, [], rows);
  const names = new Set<string>();
  for (const { name } of rows) {
    if (names.has(name))
      throw new Error(`two rows are called ${JSON.stringify(name)}; bench/compare/rows.ts cannot tell them apart`);
    names.add(name);
  }
  return rows;
}

function collect(value: object, path: readonly string[], rows: MeasuredRow[]): void {
  const fields = Object.entries(value);
  const identity = fields.filter(
    ([key, part]) => IDENTITY.has(key) && (typeof part === 'string' || typeof part === 'number'),
  );
  const own = [...path, ...identity.map(([key, part]) => (typeof part === 'number' ? `${key}=${part}` : String(part)))];
  for (const [key, part] of fields) {
    if (typeof part === 'number') add(key, key, part, own, rows);
    if (typeof part !== 'object' || part === null) continue;
    if (Array.isArray(part)) {
      const list = PLAIN_LISTS.has(key) ? own : [...own, key];
      for (const element of part) if (typeof element === 'object' && element !== null) collect(element, list, rows);
      continue;
    }
    const costs = Object.entries(part).filter(([inner]) => metric(`${key}.${inner}`) !== undefined);
    for (const [inner, cost] of costs) {
      if (typeof cost === 'number') add(`${key}.${inner}`, `${key} ${inner}`, cost, own, rows);
    }
    if (costs.length === 0) collect(part, [...own, key], rows);
  }
}

function add(key: string, title: string, value: number, path: readonly string[], rows: MeasuredRow[]): void {
  const better = metric(key);
  if (better !== undefined) rows.push({ name: [...path, title].join(' | '), value, better });
}

function metric(key: string): MeasuredRow['better'] | undefined {
  const [outer] = key.split('.');
  for (const known of [key, `${outer}.*`]) if (Object.hasOwn(METRICS, known)) return METRICS[known];
  return undefined;
}
