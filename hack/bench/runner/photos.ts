/** The files that the bench works on: the photos that are kept, over and over, and small and cropped ones of them. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { readRealPhotos } from "../../eval/real-photos.ts";

/** Longer side of the long run's pictures. */
export const SMALL_SIDE = 384;
/** Side of the square pictures that are enlarged. */
export const ENLARGED_SIDE = 600;

export interface BenchPhotos {
  /** As they are kept. */
  readonly whole: readonly string[];
  readonly small: readonly string[];
  /** PNG. */
  readonly square: readonly string[];
}

/** Writes the files into `dir` and gives their paths. */
export async function preparePhotos(dir: string): Promise<BenchPhotos> {
  const whole: string[] = [];
  const small: string[] = [];
  const square: string[] = [];
  for (const { name, bytes } of await readRealPhotos()) {
    const path = (kind: string) => join(dir, `${name}-${kind}`);
    await writeFile(path("whole.jpg"), bytes);
    await sharp(bytes)
      .resize(SMALL_SIDE, SMALL_SIDE, { fit: "inside", withoutEnlargement: true })
      .jpeg({ quality: 92 })
      .toFile(path("small.jpg"));
    await sharp(bytes).resize(ENLARGED_SIDE, ENLARGED_SIDE).removeAlpha().png().toFile(path("square.png"));
    whole.push(path("whole.jpg"));
    small.push(path("small.jpg"));
    square.push(path("square.png"));
  }
  return { whole, small, square };
}

/** The i-th of a list that goes round. */
export function roundRobin(paths: readonly string[], i: number): string {
  const path = paths[i % paths.length];
  if (path === undefined) throw new RangeError("there are no photos");
  return path;
}
