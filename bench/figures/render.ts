// A declaration of a chart → SVG → PNG, without a browser. Text stays text in the SVG; the PNG is drawn with the fonts of
// the dejavu-fonts-ttf package, so it looks the same on a machine without any.

import { createRequire } from 'node:module';
import { Resvg } from '@resvg/resvg-js';
import { parse, Error as ShowErrors, View, logger as vegaLogger } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { FONT } from './figure.ts';

/** Pixels of the PNG per unit of the SVG. */
export const PNG_SCALE = 2;
const MARGIN = 14;

const require = createRequire(import.meta.url);
const fontFiles = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) =>
  require.resolve(`dejavu-fonts-ttf/ttf/${file}`),
);
const font = { loadSystemFonts: false, fontFiles, defaultFontFamily: FONT, sansSerifFamily: FONT };

export async function svgOf(spec: TopLevelSpec): Promise<string> {
  const warnings: string[] = [];
  const logger = vegaLogger(ShowErrors);
  logger.warn = (...words: readonly unknown[]) => {
    warnings.push(words.join(' '));
    return logger;
  };
  const view = new View(parse(compile(spec, { logger }).spec), { renderer: 'none', logger });
  try {
    const svg = await view.toSVG();
    // A warning of the chart library is a mistake in a figure, such as a value that no scale can show.
    if (warnings.length > 0) throw new Error(`the chart library warns: ${warnings.join('; ')}`);
    return cropped(
      svg
        .replaceAll(`font-family="${FONT}"`, `font-family="'${FONT}', sans-serif"`)
        // Boxes that show nothing, of the size that Vega guessed.
        .replaceAll(/<path class="background"[^>]*\/>/g, ''),
    );
  } finally {
    view.finalize();
  }
}

export function pngOf(svg: string): Uint8Array {
  return new Resvg(svg, { fitTo: { mode: 'zoom', value: PNG_SCALE }, font }).render().asPng();
}

/** Cut to what is drawn: without a canvas Vega guesses the width of text, too wide. White goes behind. */
function cropped(svg: string): string {
  const box = new Resvg(svg, { font }).getBBox();
  if (box === undefined) throw new Error('the picture is empty');
  const [x, y] = [Math.floor(box.x) - MARGIN, Math.floor(box.y) - MARGIN];
  const [width, height] = [Math.ceil(box.width) + 2 * MARGIN, Math.ceil(box.height) + 2 * MARGIN];
  const frame = `width="${width}" height="${height}" viewBox="${x} ${y} ${width} ${height}"`;
  return svg.replace(
    /<svg[^>]*>/,
    `<svg xmlns="http://www.w3.org/2000/svg" version="1.1" ${frame}>` +
      `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="white"/>`,
  );
}
