// Sessions that live as long as the process: nothing is kept, so nothing can be loaded.

import type { SessionStore } from './store.ts';

export const memoryStore: SessionStore = {
  load: () => new Map(),
  append: async () => {},
  close: async () => {},
};
