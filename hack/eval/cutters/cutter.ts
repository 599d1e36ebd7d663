/** Whatever cuts products out of photos, seen alike: the pipeline, the baseline, a peer. */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Cutout } from "../../../gpu-runner/pipeline/compose.ts";
import { decodePicture, encodePng } from "../../../gpu-runner/stages/picture-codec.ts";

export interface Cutter {
  readonly name: "ours" | "baseline" | "rembg";
  /** The photo's product, as large as the photo; undefined when it finds none. */
  cut(photo: Uint8Array): Promise<Cutout | undefined>;
}

/** Decodes a cut-out with alpha. @throws {Error} without it */
export async function decodeCutout(bytes: Uint8Array): Promise<Cutout> {
  const { rgb, alpha } = await decodePicture(bytes);
  if (!alpha) throw new Error("a cut-out has no alpha");
  return { colour: rgb, alpha };
}

const digest = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex").slice(0, 20);

/**
 * Keeps a cutter's results in `dir`, by photo and by `key`, which names all that they depend on: baseline and
 * peer do not change from run to run, and each costs seconds a picture.
 */
export function remembering(cutter: Cutter, dir: string, key: string): Cutter {
  const folder = join(dir, `${cutter.name}-${digest(key)}`);
  return {
    name: cutter.name,
    cut: async (photo) => {
      const path = join(folder, `${digest(photo)}.png`);
      const kept = await readFile(path).catch(() => undefined);
      if (kept) return kept.length === 0 ? undefined : decodeCutout(kept);
      const cutout = await cutter.cut(photo);
      await mkdir(folder, { recursive: true });
      const aside = `${path}.${randomUUID()}`;
      const bytes = cutout ? (await encodePng(cutout.colour, cutout.alpha)).bytes : new Uint8Array();
      await writeFile(aside, bytes);
      await rename(aside, path);
      await rm(aside, { force: true });
      return cutout;
    },
  };
}
