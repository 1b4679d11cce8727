// The command line's way from vectors to suggestions: build, verify, inspect, suggest.

import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { uniformValues, writeLines, writeVectors } from '../builder/collections.ts';
import { temporaryFolder } from '../support.ts';
import { farsight } from './program.ts';

const ITEMS = 300;

t.test('build, verify, inspect and suggest, in words and in JSON', async (t) => {
  const { out, args } = smallBuild(t);
  t.match(farsight(...args), {
    code: 0,
    stderr:
      /^plan: 300 items, memory .+, disk .+; memory for keys and metadata .+\nplan: visual: 8 dims, .+\nplan: text: 12 dims, .+\n/,
    stdout: /index: 300 items, generation [0-9a-f]{16}, in [\d.]+ s\n$/,
  });
  const manifest = JSON.parse(farsight(...args, '--json', '--seed', '9').stdout);
  t.match(manifest, { format: 'farsight-index', items: ITEMS, seed: 9, generation: /^[0-9a-f]{16}$/ });
  t.strictSame(JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')), manifest);

  t.match(farsight('verify', out), { code: 0, stderr: '', stdout: /index: \d+ sections, \d+ bytes, all good\n$/ });
  const verified = JSON.parse(farsight('verify', out, '--deep', '--json').stdout);
  t.match(verified, { ok: true, findings: [], sections: manifest.sections.length });

  const inspected = JSON.parse(farsight('inspect', out, '--json').stdout);
  t.match(inspected, {
    items: ITEMS,
    generation: manifest.generation,
    modalities: [{ name: 'visual' }, { name: 'text' }],
  });
  const { stdout } = farsight('inspect', out);
  for (const line of [
    /^items {8}300$/m,
    new RegExp(`^generation   ${manifest.generation}$`, 'm'),
    /^modality {5}visual$/m,
    /^ {2}codec {12}sq8, 8 dims, unit length$/m,
    /^ {2}codec {12}ratio, 12 dims, as given$/m,
    /^ {2}levels {11}\d+/m,
    /^ {2}cluster sizes {4}mean [\d.]+, deviation [\d.]+, p1 \d+, .* largest \d+$/m,
    /^ {2}unreachable {6}\d+ items in huge clusters/m,
    /^ {2}keys\.table +\d+$/m,
  ]) {
    t.match(stdout, line);
  }

  const numbers = farsight('suggest', out, '--positive', '1,2', '--negative', '3', '-k', '5');
  t.match(numbers, { code: 0, stderr: '' });
  const lines = numbers.stdout.trimEnd().split('\n');
  t.equal(lines.length, 5);
  for (const line of lines) t.match(line, /^(\d+)\t\d\.\d+\titem \1$/);
  t.strictSame(farsight('suggest', out, '--positive', 'item 1,item 2', '--negative', 'item 3', '-k', '5'), numbers);
  const mix = ['--mix', 'farthest=2,spread=3', '--diversity', '0.999'];
  const mixed = farsight('suggest', out, '--positive', '1,2', '--negative', '3', '-k', '5', ...mix).stdout;
  t.equal(mixed.match(/\tspread(\t|$)/gm)?.length, 3, 'a mix names its samplers');

  const json = JSON.parse(
    farsight('suggest', out, '--positive', '1,2', '--negative', '3', '-k', '5', '--json', '--exhaustive').stdout,
  );
  t.match(json, {
    model: { kind: 'linear_svm', positives: 2, negatives: 1 },
    coverage: { complete: true, items_scored: 2 * ITEMS },
  });
  t.equal(json.items.length, 5);
  t.match(json.items[0], { id: Number, key: /^item \d+$/, score: Number, source: 'farthest' });
  const without = JSON.parse(
    farsight('suggest', out, '--positive', '1', '--exclude', `${json.items[0].id}`, '-k', '299', '--json').stdout,
  );
  t.equal(without.items.length, 298);
  t.notOk(without.items.some(({ id }: { id: number }) => id === json.items[0].id));
});

t.test('verify names every damaged section and ends with 1', async (t) => {
  const { out, args } = smallBuild(t);
  farsight(...args);
  truncateSync(join(out, 'visual.codes.0'), 5000);
  const bytes = readFileSync(join(out, 'text.items.0'));
  bytes.writeUInt8(bytes.readUInt8(4100) ^ 1, 4100);
  writeFileSync(join(out, 'text.items.0'), bytes);
  const plain = farsight('verify', out);
  t.equal(plain.code, 1);
  t.equal(plain.stdout, '');
  t.match(
    plain.stderr,
    /^farsight verify: visual\.codes: .* the file has 5000; .*\nfarsight verify: text\.items: .* payload checksum .*rebuild it\n$/,
  );
  const json = farsight('verify', out, '--json');
  t.equal(json.code, 1);
  t.match(JSON.parse(json.stdout), { ok: false, findings: [{ section: 'visual.codes' }, { section: 'text.items' }] });
});

t.test('long work prints plain lines of progress where there is no terminal', async (t) => {
  const folder = temporaryFolder(t);
  const path = writeVectors(join(folder, 'a.npy'), 64, uniformValues(1, 64 * 30_000));
  const { code, stderr } = farsight(
    ...['build', '--out', join(folder, 'index'), '--modality', `a=${path}`],
    ...['--cluster-size', '8', '--refine', '8', '--threads', '1'],
  );
  t.equal(code, 0);
  // How many depends on the machine; each is whole and without control characters. Only the first of a stage may come
  // without a pace, having no time to go by.
  const shape =
    /^a: (encode|cluster|assign|write|quality): \d+ of \d+ (?:vectors|hyperplanes)(, [\d.e+]+\/s, \d+ s left)?$/;
  const begun = new Set<string>();
  const [all, own, mapped, ...lines] = stderr.split('\n').slice(0, -1);
  t.match(all, /^plan: 30000 items, /);
  t.match(own, /^plan: a: 64 dims, /);
  t.match(mapped, /^plan: index mapped for grid and quality: \d.* MiB, which the system may drop, not counted$/);
  for (const line of lines) {
    const [whole, stage = '', pace] = shape.exec(line) ?? [];
    t.equal(whole, line);
    t.ok(pace !== undefined || !begun.has(stage), line);
    begun.add(stage);
  }
});

function smallBuild(t: Test): { out: string; args: string[] } {
  const folder = temporaryFolder(t);
  const out = join(folder, 'index');
  const visual = writeVectors(join(folder, 'visual.npy'), 8, uniformValues(1, 8 * ITEMS, -1));
  const text = writeVectors(join(folder, 'text.npy'), 12, uniformValues(2, 12 * ITEMS));
  const ids = writeLines(
    join(folder, 'ids.txt'),
    Array.from({ length: ITEMS }, (_, item) => `item ${item}`),
  );
  const modalities = ['--modality', `visual=${visual}`, '--modality', `text=${text},codec=ratio,normalize=false`];
  return { out, args: ['build', '--out', out, ...modalities, '--ids', ids, '--cluster-size', '20'] };
}
