// The text of --modality: what it may say, and how it is refused.

import t from 'tap';
import { integerOption, numberOption, parseModalitySpec, requireUsed } from '../../index-builder/modality-spec.ts';
import { InputError } from '../../index-builder/readers/reader.ts';

const keys = ['codec', 'dims', 'ids'];

t.test('a modality is a name, a path and keys', async (t) => {
  const spec = parseModalitySpec('visual=data/a=b.npy,codec=sq8,dims=10', keys);
  t.equal(spec.name, 'visual');
  t.equal(spec.path, 'data/a=b.npy', 'an equals sign may stand in a path');
  t.strictSame(
    [...spec.options],
    [
      ['codec', 'sq8'],
      ['dims', '10'],
    ],
  );
  t.strictSame([...parseModalitySpec('a=x,codec=p=q', keys).options], [['codec', 'p=q']], 'and in a value');
});

t.test('names are small letters, digits, _ and -, at most 32', async (t) => {
  for (const name of ['a', 'clip-vit_b32', `a${'b'.repeat(31)}`])
    t.equal(parseModalitySpec(`${name}=x`, keys).name, name);
  for (const name of ['', 'A', '1a', '-a', 'a b', 'é', '__proto__', `a${'b'.repeat(32)}`]) {
    t.throws(() => parseModalitySpec(`${name}=x`, keys), { name: 'InputError', message: /has the name/ }, name);
  }
});

t.test('what is not a modality is refused by name', async (t) => {
  const cases: readonly [string, RegExp][] = [
    ['', /has no path/],
    ['visual', /has no path/],
    ['visual=', /has no path/],
    ['visual=,dims=1', /has no path/],
    ['visual=x,', /has ''/],
    ['visual=x,dims', /has 'dims'.*a path cannot contain a comma/],
    ['visual=x,dims=', /has 'dims='/],
    ['visual=x,=1', /has '=1'/],
    ['visual=x,dim=1', /unknown key 'dim'.*known are codec, dims, ids/],
    ['visual=x,__proto__=1', /unknown key '__proto__'/],
    ['visual=x,dims=1,dims=1', /'dims' twice/],
  ];
  for (const [text, message] of cases)
    t.throws(() => parseModalitySpec(text, keys), { name: 'InputError', message }, text);
});

t.test('keys that neither the input nor the codec uses are refused', async (t) => {
  const spec = parseModalitySpec('visual=x.npy,ids=y,dims=3', keys);
  t.doesNotThrow(() => requireUsed(spec, ['ids', 'dims', 'codec']));
  t.throws(() => requireUsed(spec, ['codec', 'ids']), {
    message: /visual=x.npy: does not use dims; .* use codec, ids/,
  });
  t.throws(() => requireUsed(spec, []), { message: /does not use ids, dims; no keys apply/ });
});

t.test('numbers are read strictly and within their range', async (t) => {
  const of = (value: string) => new Map([['n', value]]);
  t.equal(integerOption('f', new Map(), 'n', 1, 9), undefined);
  t.equal(integerOption('f', of('9'), 'n', 1, 9), 9);
  for (const text of ['0', '10', '-1', '1.5', '0x3', '1e0', ' 1', '１', 'NaN', '99999999999999999999']) {
    t.throws(() => integerOption('f', of(text), 'n', 1, 9), InputError, text);
  }
  t.equal(numberOption('f', new Map(), 'n'), undefined);
  t.equal(numberOption('f', of('2e14'), 'n'), 2e14);
  t.equal(numberOption('f', of('50000.5'), 'n'), 50000.5);
  for (const text of ['0', '-1', 'Infinity', '1e999', 'NaN', '0x10', '1e', '']) {
    t.throws(() => numberOption('f', of(text), 'n'), InputError, text);
  }
});
