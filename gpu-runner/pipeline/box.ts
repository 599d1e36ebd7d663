import type { Box } from "#crds/runner-report.ts";

/** The smallest box that holds both. */
export function union(a: Box, b: Box): Box {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}

/** The part that both hold; they must overlap. */
export function intersection(a: Box, b: Box): Box {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  return {
    x,
    y,
    width: Math.min(a.x + a.width, b.x + b.width) - x,
    height: Math.min(a.y + a.height, b.y + b.height) - y,
  };
}

export function moved(box: Box, dx: number, dy: number): Box {
  return { ...box, x: box.x + dx, y: box.y + dy };
}

/** The box in a picture that was enlarged by a factor, edges to the nearest pixel. */
export function enlarged({ x, y, width, height }: Box, factor: number): Box {
  const [left, top] = [Math.round(x * factor), Math.round(y * factor)];
  return {
    x: left,
    y: top,
    width: Math.round((x + width) * factor) - left,
    height: Math.round((y + height) * factor) - top,
  };
}

/** The box grown on all sides, cut at the edges of a picture. */
export function grown(box: Box, by: number, picture: { width: number; height: number }): Box {
  const x = Math.max(0, box.x - by);
  const y = Math.max(0, box.y - by);
  return {
    x,
    y,
    width: Math.min(picture.width, box.x + box.width + by) - x,
    height: Math.min(picture.height, box.y + box.height + by) - y,
  };
}

export function contains(outer: Box, inner: Box): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

/** The smallest box round all pixels for which `isInside` holds of their index; undefined when none does. */
export function boxWhere(
  size: { width: number; height: number },
  isInside: (index: number) => boolean,
): Box | undefined {
  let left = size.width;
  let right = -1;
  let top = -1;
  let bottom = -1;
  for (let y = 0, i = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++, i++) {
      if (!isInside(i)) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (top < 0) top = y;
      bottom = y;
    }
  }
  return right < 0 ? undefined : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}
