import { readdir, readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Photo } from "./tenant.ts";

const OWN_PHOTOS = fileURLToPath(new URL("../photos/photos/", import.meta.url));

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".png": "image/png",
  ".webp": "image/webp",
  ".avif": "image/avif",
  ".tif": "image/tiff",
  ".tiff": "image/tiff",
  ".gif": "image/gif",
};

/**
 * The photos at the given paths, or those kept in the repository when none are given.
 * @throws {Error} that names the file which cannot be read or is no picture by its name.
 */
export async function readPhotos(paths: readonly string[]): Promise<Photo[]> {
  const given =
    paths.length > 0 ? paths : (await readdir(OWN_PHOTOS)).sort().map((name) => join(OWN_PHOTOS, name));
  return Promise.all(
    given.map(async (path) => {
      const contentType = MEDIA_TYPES[extname(path).toLowerCase()];
      if (!contentType) {
        throw new Error(
          `${path}: not a picture by its name; known are ${Object.keys(MEDIA_TYPES).join(" ")}`,
        );
      }
      const buffer = await readFile(path).catch((cause: unknown) => {
        throw new Error(`${path}: cannot be read`, { cause });
      });
      return { filename: basename(path), contentType, bytes: Uint8Array.from(buffer) };
    }),
  );
}
