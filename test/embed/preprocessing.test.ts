// How pictures are prepared: where the crop lies, what Hugging Face's files say, half precision.

import t from 'tap';
import { EmbedError } from '../../index-builder/embed/embed-error.ts';
import { IMAGENET, inputSize, placement } from '../../index-builder/embed/preprocessing.ts';
import { parsePreprocessorConfig } from '../../index-builder/embed/preprocessor-config.ts';
import { fillTensor, fromHalf, toHalf } from '../../index-builder/embed/tensor.ts';

t.test('the crop is the middle, rounded as the library that trained rounds', async (t) => {
  // 500 x 375 to a shorter edge of 256 is 341 x 256 (341.33 cut down); 117 and 32 pixels are left over.
  const wide = { width: 500, height: 375 };
  t.strictSame(placement(IMAGENET, wide), {
    size: { width: 341, height: 256 },
    region: { left: 58, top: 16, width: 224, height: 224 },
  });
  // Python's round(58.5) is 58 and round(59.5) is 60; Hugging Face cuts both down.
  const wider = { width: 1343, height: 1000 };
  t.equal(placement(IMAGENET, wider).size.width, 343);
  t.equal(placement(IMAGENET, wider).region.left, 60);
  t.equal(placement({ ...IMAGENET, cropRounding: 'down' }, wider).region.left, 59);
  t.strictSame(placement(IMAGENET, { width: 3, height: 9 }).size, { width: 256, height: 768 });
});

t.test('sizes that cannot be are refused with the flag to change', async (t) => {
  t.throws(() => inputSize({ ...IMAGENET, crop: null }), { message: /--resize 256 without a crop .* add --crop N/ });
  t.throws(() => inputSize({ ...IMAGENET, crop: { width: 300, height: 10 } }), { message: /--crop 300x10 is larger/ });
  t.strictSame(inputSize({ ...IMAGENET, resize: { width: 8, height: 4 }, crop: null }), { width: 8, height: 4 });
});

const CLIP = {
  crop_size: { height: 224, width: 224 },
  do_center_crop: true,
  do_convert_rgb: true,
  do_normalize: true,
  do_rescale: true,
  do_resize: true,
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
  resample: 3,
  rescale_factor: 0.00392156862745098,
  size: { shortest_edge: 224 },
};

t.test(
  'a preprocessor_config.json of CLIP, of ViT and of old versions says the same as its library does',
  async (t) => {
    t.match(parsePreprocessorConfig('p', JSON.stringify(CLIP)), {
      resize: { shortest: 224 },
      crop: { width: 224, height: 224 },
      cropRounding: 'down',
      interpolation: 'bicubic',
      scale: 1 / 255,
      mean: CLIP.image_mean,
      deviation: CLIP.image_std,
    });
    const vit = { do_normalize: true, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5], resample: 2, size: 224 };
    t.match(parsePreprocessorConfig('p', JSON.stringify(vit)), { resize: { width: 224, height: 224 }, crop: null });
    const old = { ...CLIP, size: 256, crop_size: 224 };
    t.match(parsePreprocessorConfig('p', JSON.stringify(old)), { resize: { shortest: 256 }, crop: { width: 224 } });
    const plain = {
      ...CLIP,
      do_normalize: false,
      do_rescale: false,
      do_center_crop: false,
      size: { height: 2, width: 3 },
    };
    t.match(parsePreprocessorConfig('p', JSON.stringify(plain)), {
      resize: { width: 3, height: 2 },
      crop: null,
      scale: 1,
      mean: [0, 0, 0],
      deviation: [1, 1, 1],
    });
    const changed = parsePreprocessorConfig('p', JSON.stringify(CLIP), { crop: null, resize: { width: 9, height: 9 } });
    t.match(changed, { resize: { width: 9, height: 9 }, crop: null, interpolation: 'bicubic' });
    t.equal(parsePreprocessorConfig('p', JSON.stringify(CLIP), { background: null }).background, null);
  },
);

t.test('what a preprocessor_config.json leaves open or asks too much of is refused by key', async (t) => {
  const { resample, ...withoutResample } = CLIP;
  const { image_mean, ...withoutMean } = CLIP;
  const refused: readonly (readonly [object, RegExp])[] = [
    [{ ...CLIP, do_pad: true }, /^p: do_pad is true, which/],
    [{ ...CLIP, crop_pct: 0.875 }, /^p: crop_pct is not supported; give --resize and --crop/],
    [{ ...CLIP, resample: 0 }, /^p: resample is 0; .* give --interpolation$/],
    [withoutResample, /^p: resample is missing; .* give --interpolation$/],
    [withoutMean, /^p: image_mean is not a list of three numbers; give --mean$/],
    [{ ...CLIP, size: { longest_edge: 5 } }, /^p: size is not a whole number.*give --resize$/],
    [{ ...CLIP, crop_size: 'large' }, /^p: crop_size is not a whole number.*give --crop$/],
    [{ ...CLIP, image_std: [1, 1] }, /^p: image_std is not a list of three numbers; give --std$/],
    [{ ...CLIP, do_resize: false }, /^p: do_resize is false/],
    [{ ...CLIP, do_normalize: 1 }, /^p: do_normalize is not true or false/],
    [{ ...CLIP, rescale_factor: 'x' }, /^p: rescale_factor is not a number/],
    [[], /^p: is no JSON object/],
  ];
  for (const [config, message] of refused) {
    t.throws(() => parsePreprocessorConfig('p', JSON.stringify(config)), { name: 'EmbedError', message });
  }
  t.throws(() => parsePreprocessorConfig('p', '{'), EmbedError);
});

t.test('levels become (level * scale - mean) / deviation, channels first or last', async (t) => {
  const picture = { width: 2, height: 1, rgb: Uint8Array.of(10, 20, 30, 40, 50, 60) };
  const preprocessing = {
    ...IMAGENET,
    resize: { width: 2, height: 1 },
    crop: null,
    scale: 0.5,
    mean: [1, 2, 3],
    deviation: [1, 2, 4],
  } as const;
  const out = new Float32Array(6);
  fillTensor(picture, preprocessing, 'nchw', out);
  t.strictSame([...out], [4, 19, 4, 11.5, 3, 6.75]);
  fillTensor(picture, preprocessing, 'nhwc', out);
  t.strictSame([...out], [4, 4, 3, 19, 11.5, 6.75]);
});

t.test('half precision goes there and back without a change, and rounds to the nearest even', async (t) => {
  const all = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);
  const finite = all.filter((bits) => (bits & 0x7c00) !== 0x7c00);
  t.strictSame(toHalf(fromHalf(finite)), finite, 'every half');
  const values = Float32Array.of(
    65519.996,
    65520,
    -Infinity,
    2 ** -25,
    2 ** -25 * 1.0001,
    1 + 2 ** -11,
    1 + 3 * 2 ** -11,
  );
  t.strictSame([...toHalf(values)], [0x7bff, 0x7c00, 0xfc00, 0, 1, 0x3c00, 0x3c02]);
  t.ok(fromHalf(toHalf(Float32Array.of(Number.NaN))).every(Number.isNaN));
  t.strictSame([...fromHalf(Uint16Array.of(0x7c00, 0xfc00))], [Infinity, -Infinity]);
});
