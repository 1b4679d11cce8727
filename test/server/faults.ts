// Seeds that stand for a fault of slow-worker.ts; above `waits`, the rest is a wait in milliseconds before the round.
export const faults = { throws: 1, exits: 2, waits: 1000 } as const;
