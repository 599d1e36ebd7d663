import type { Box } from "#crds/runner-report.ts";
import type { Size } from "./layout.ts";

/** A cut that may reach beyond the picture: x and y may be negative. */
export interface Cut {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Free border that a cut keeps round product and shadow, of their size. */
const BORDER_SHARE = 0.05;

/** [from, from + length) of a cut along one side: middle on the content, inside the picture where that fits. */
function along(picture: number, length: number, content: { from: number; length: number }): number {
  const centred = Math.round(content.from + content.length / 2 - length / 2);
  if (length > picture) return centred;
  return Math.min(picture - length, Math.max(0, centred));
}

/**
 * The cut of a ratio for a picture whose layout is not known: as large as the picture allows, round product
 * and shadow, never through them. Where the ratio does not fit inside the picture with a free border, the cut reaches beyond it
 * and the background has to be continued there.
 */
export function planCut(picture: Size, content: Box, ratio: Size): Cut {
  const aspect = ratio.width / ratio.height;
  const border = 1 + 2 * BORDER_SHARE;
  const inside = Math.min(picture.width, Math.floor(picture.height * aspect));
  const needed = Math.ceil(Math.max(content.width, content.height * aspect) * border);
  const width = Math.max(inside, needed);
  const height = Math.round(width / aspect);
  return {
    x: along(picture.width, width, { from: content.x, length: content.width }),
    y: along(picture.height, height, { from: content.y, length: content.height }),
    width,
    height,
  };
}
