/** The real photos that are kept in the repository. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDERS = ["real", "photos"].map((name) =>
  fileURLToPath(new URL(`../photos/${name}/`, import.meta.url)),
);
/** Rendered, not photographed. */
const RENDERED = "bottle.jpg";

export interface RealPhoto {
  readonly name: string;
  readonly bytes: Buffer;
}

export async function readRealPhotos(): Promise<RealPhoto[]> {
  const photos: RealPhoto[] = [];
  for (const folder of FOLDERS) {
    for (const file of (await readdir(folder)).sort()) {
      if (file === RENDERED || !file.endsWith(".jpg")) continue;
      photos.push({ name: file.replace(/\.jpg$/, ""), bytes: await readFile(join(folder, file)) });
    }
  }
  return photos;
}
