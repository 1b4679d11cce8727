// The systems that `farsight simulate` knows.

import { blackthorn, exquisitor, knnEcp } from './own-rounds.ts';
import type { SystemFactory } from './system.ts';

export const systems: readonly SystemFactory[] = [exquisitor, blackthorn, knnEcp];
