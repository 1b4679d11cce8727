// What benches say of many measurements.

import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../bench/datasets/collections.ts';
import { commandLine, quantiles, tail } from '../../bench/measure.ts';

t.test('a quantile is the least value that so many do not exceed', async (t) => {
  const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => n - i);
  t.strictSame(quantiles(upTo(100)), { min: 1, median: 50, p95: 95, p99: 99, max: 100 });
  t.strictSame(quantiles(upTo(500)), { min: 1, median: 250, p95: 475, p99: 495, max: 500 });
  t.strictSame(quantiles(upTo(3)), { min: 1, median: 2, p95: 3, p99: 3, max: 3 });
  t.strictSame(quantiles([7]), { min: 7, median: 7, p95: 7, p99: 7, max: 7 });
});

t.test('a table has a 99th percentile of a hundred calls or more, else the worst', async (t) => {
  const wall = { min: 1, median: 2, p95: 3, p99: 4, max: 5 };
  t.strictSame(tail({ calls: 100, wall }), { p99: '4.00' });
  t.strictSame(tail({ calls: 99, wall }), { most: '5.00' });
});

t.test('a command is told without where files lie', async (t) => {
  const bench = join(packageRoot(), 'dist/bench/scale.bench.js');
  const words = [
    '/data/i99',
    '--modality',
    'visual=/data/set/visual,codec=ratio',
    '--out=/tmp/a b',
    '--url',
    'http://h:1/x',
  ];
  t.equal(
    commandLine(['/usr/bin/node', bench, ...words]),
    'node dist/bench/scale.bench.js i99 --modality visual=visual,codec=ratio --out=a b --url http://h:1/x',
  );
  t.equal(commandLine(['node', '/opt/node_modules/.bin/farsight', 'inspect', 'idx']), 'farsight inspect idx');
  t.equal(commandLine(['node', '/elsewhere/run.js']), 'node run.js');
});
