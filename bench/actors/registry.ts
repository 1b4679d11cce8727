// The protocols that `farsight simulate` knows.

import { iris } from './iris.ts';
import { lsc } from './lsc.ts';
import { imagenet, imagenetUnknown, yfcc100m } from './preset-negatives.ts';
import type { Protocol } from './protocol.ts';

export const protocols: readonly Protocol[] = [imagenet, imagenetUnknown, yfcc100m, lsc, iris];
