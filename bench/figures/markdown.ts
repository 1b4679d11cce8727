// Numbers beside a picture, as Markdown.

/** The first column to the left, the others to the right. */
export function markdownTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = `|---|${columns
    .slice(1)
    .map(() => '---:|')
    .join('')}`;
  return [line(columns), rule, ...rows.map(line)].join('\n');
}

/** A mean and its standard error, or nothing. */
export function meanText(measured: { readonly mean: number; readonly se: number | null } | undefined): string {
  if (measured === undefined) return '';
  const { mean, se } = measured;
  return se === null ? mean.toFixed(3) : `${mean.toFixed(3)} ± ${se.toFixed(3)}`;
}
