// Figures that the papers publish, to stand beside what was measured.

/** Exquisitor, section 4.3: latency of a round on the 99,206,564 items of YFCC100M with b = 256, in milliseconds. */
export const YFCC_LATENCIES: readonly { readonly label: string; readonly ms: number }[] = [
  { label: 'paper: Exquisitor, S_c = 1: 170 ms', ms: 170 },
  { label: 'paper: Exquisitor, S_c = 16: < 300 ms', ms: 300 },
  { label: 'paper: Blackthorn, 16 cores: 1,200 ms', ms: 1200 },
];
export const YFCC_ITEMS = 99_206_564;

/** Exquisitor, table 1: latency of a round on the 14,198,361 items of ImageNet, in milliseconds. */
export const IMAGENET_LATENCIES: Readonly<Record<string, string>> = {
  exquisitor: '8',
  blackthorn: '130 (1 w), 17 (16 w)',
  'svm-lsh': '8',
  'knn-ecp': '8',
  'knn-lsh': '4',
};
export const IMAGENET_ITEMS = 14_198_361;

/** IRIS, section "Results": the least and the most of the composite metric over the seed budgets. */
export const IRIS_COMPOSITES: readonly {
  readonly system: string;
  readonly label: string;
  readonly least: number;
  readonly most: number;
}[] = [
  { system: 'spread', label: 'paper, best: 0.219', least: 0.219, most: 0.219 },
  { system: 'spread+uniform', label: 'paper: 0.163 to 0.176', least: 0.163, most: 0.176 },
  { system: 'spread+rand', label: 'paper: 0.308 to 0.327', least: 0.308, most: 0.327 },
];
