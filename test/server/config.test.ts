// Where settings come from, which wins, and what is said about those that cannot be used.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import t from 'tap';
import { ConfigError, configOf, describeServeFlags, readConfig, serveFlags } from '../../src/config.ts';
import { temporaryFolder } from '../support.ts';

const collection = ['photos=/data/photos'];

t.test('a flag beats the environment, the environment the file, the file the default', async (t) => {
  const file = join(temporaryFolder(t), 'farsight.json');
  writeFileSync(file, JSON.stringify({ port: 1, host: 'file', queue_length: 3, log_level: 'warn' }));
  const config = readConfig({ collection, config: file, port: '2' }, { FARSIGHT_PORT: '4', FARSIGHT_HOST: 'variable' });
  t.match(config, { port: 2, host: 'variable', queueLength: 3, logLevel: 'warn', bodyLimitBytes: 1_048_576 });
  t.ok(Object.isFrozen(config));
});

t.test('collections come from flags, from the environment, or from the file, relative to it', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'farsight.json');
  writeFileSync(file, JSON.stringify({ collections: { a: 'index', b: '/data/b' } }));
  t.strictSame(readConfig({ config: file }, {}).collections, { a: join(folder, 'index'), b: '/data/b' });
  t.strictSame(readConfig({}, { FARSIGHT_CONFIG: file }).collections, { a: join(folder, 'index'), b: '/data/b' });
  t.strictSame(readConfig({}, { FARSIGHT_COLLECTIONS: 'a=x,b=y=z' }).collections, { a: 'x', b: 'y=z' });
  t.strictSame(readConfig({ collection: ['c=d'] }, { FARSIGHT_CONFIG: file }).collections, { c: 'd' });
});

t.test('paths of a file are relative to it, and an empty one is none', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'farsight.json');
  writeFileSync(file, JSON.stringify({ collections: { a: 'index' }, sessions: 'kept/sessions', jobs: '' }));
  t.match(readConfig({ config: file }, {}), { sessions: join(folder, 'kept/sessions'), jobs: '' });
});

t.test('variables that are ours without being settings are left alone', async (t) => {
  const environment = { FARSIGHT_DATA: '/data', FARSIGHT_TRACE: '1', OTHER: 'x' };
  t.equal(readConfig({ collection }, environment).port, 8080);
});

t.test('the flags are those of parseArgs, and each is described', async (t) => {
  const args = ['--collection', 'a=b', '--collection', 'c=d', '--port', '0', '--trust-proxy', '--max-k', '50'];
  const { values } = parseArgs({ args, options: serveFlags });
  t.match(readConfig(values, {}), { collections: { a: 'b', c: 'd' }, port: 0, trustProxy: true, maxK: 50 });
  const help = describeServeFlags();
  for (const flag of Object.keys(serveFlags)) t.match(help, `--${flag}`);
  t.notMatch(help, 'undefined');
});

t.test('what cannot be used is refused with where it was given and what is expected', async (t) => {
  const folder = temporaryFolder(t);
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const refused: readonly [() => unknown, RegExp][] = [
    [() => readConfig({}, {}), /no collection/],
    [() => readConfig({ collection: ['photos'] }, {}), /--collection: expected NAME=DIR, got 'photos'/],
    [() => readConfig({ collection: ['a=1', 'a=2'] }, {}), /given twice/],
    [() => readConfig({ collection: ['a b=1'] }, {}), /--collection: a collection is NAME=DIR/],
    [
      () => readConfig({ collection, port: '70000' }, {}),
      /--port: port is 70000, expected a whole number from 0 to 65535/,
    ],
    [() => readConfig({ collection, port: 'http' }, {}), /--port: port is "http"/],
    [
      () => readConfig({ collection }, { FARSIGHT_WORKERS: '0' }),
      /FARSIGHT_WORKERS: workers is 0, expected .* 1 to 16/,
    ],
    [() => readConfig({ collection, 'log-level': 'loud' }, {}), /--log-level: .*expected trace, debug/],
    [
      () => readConfig({ collection }, { FARSIGHT_TRUST_PROXY: 'yes' }),
      /FARSIGHT_TRUST_PROXY: .*expected true or false/,
    ],
    [
      () => readConfig({ collection }, { FARSIGHT_PROT: '1' }),
      /FARSIGHT_PROT: unknown setting in the environment; is it FARSIGHT_PORT or FARSIGHT_HOST\?/,
    ],
    [() => readConfig({ collection }, { FARSIGHT_SOMETHING_ELSE: '1' }), /FARSIGHT_SOMETHING_ELSE: .*serve --help/],
    [() => readConfig({ collection, config: join(folder, 'none') }, {}), /cannot read the configuration .*none/],
    [() => readConfig({ collection, config: file('a', '{') }, {}), /cannot read the configuration .*a: /],
    [() => readConfig({ collection, config: file('b', '[]') }, {}), /must hold one JSON object/],
    [() => readConfig({ collection, config: file('c', '{"prot":1}') }, {}), /c: unknown setting 'prot'/],
    [() => readConfig({ config: file('d', '{"collections":["x"]}') }, {}), /a collection is NAME=DIR/],
    [() => readConfig({ config: file('e', '{"collections":{"a":3}}') }, {}), /e: a collection is NAME=DIR/],
    [() => readConfig({ collection, config: file('f', '{"host":3}') }, {}), /f: host is 3, expected text/],
    [() => configOf({ collections: { a: 'b' }, workers: 99 }), /workers is 99/],
  ];
  for (const [act, message] of refused) {
    t.throws(act, ConfigError);
    t.throws(act, { message });
  }
});
