// The largest values of each row of a matrix, as the pair of arrays that sparse vectors are given by.

/** Descending in a row, of equals the smaller id first; a 0 has id 0. */
export function strongest(
  rows: Float32Array,
  columns: number,
  kept: number,
): { scores: Float32Array; ids: Uint16Array } {
  const count = rows.length / columns;
  const scores = new Float32Array(count * kept);
  const ids = new Uint16Array(count * kept);
  for (let row = 0; row < count; row++) {
    const first = row * kept;
    let used = 0;
    for (let column = 0; column < columns; column++) {
      const score = rows[row * columns + column] as number;
      if (score === 0 || (used === kept && score <= (scores[first + kept - 1] as number))) continue;
      let place = used < kept ? used++ : kept - 1;
      for (; place > 0 && (scores[first + place - 1] as number) < score; place--) {
        scores[first + place] = scores[first + place - 1] as number;
        ids[first + place] = ids[first + place - 1] as number;
      }
      scores[first + place] = score;
      ids[first + place] = column;
    }
  }
  return { scores, ids };
}
