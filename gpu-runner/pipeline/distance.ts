import { type Alpha, newPlane, type Plane } from "./raster.ts";

const FAR = 1e6;
const DIAGONAL = Math.SQRT2;

/** One way over the picture: the least of a pixel's distance and its earlier neighbours' plus the step to them. */
function sweep(distance: Plane, direction: 1 | -1): void {
  const { width, height, data } = distance;
  const last = data.length - 1;
  for (let n = 0; n <= last; n++) {
    const i = direction === 1 ? n : last - n;
    const [x, y] = [i % width, Math.floor(i / width)];
    const back = (dx: number, dy: number, step: number) => {
      const [nx, ny] = [x + dx * direction, y + dy * direction];
      if (nx < 0 || ny < 0 || nx >= width || ny >= height) return;
      data[i] = Math.min(data[i] ?? FAR, (data[ny * width + nx] ?? FAR) + step);
    };
    back(-1, 0, 1);
    back(0, -1, 1);
    back(-1, -1, DIAGONAL);
    back(1, -1, DIAGONAL);
  }
}

/** How far each pixel lies from the nearest of at least `opacity` (0..255), in pixels; within 8 % of the truth. */
export function distanceTo(alpha: Alpha, opacity: number): Plane {
  const distance = newPlane(alpha.width, alpha.height);
  for (let i = 0; i < distance.data.length; i++) distance.data[i] = (alpha.data[i] ?? 0) >= opacity ? 0 : FAR;
  sweep(distance, 1);
  sweep(distance, -1);
  return distance;
}
