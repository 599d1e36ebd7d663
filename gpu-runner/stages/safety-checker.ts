/** The safety checker that some model folders bring along: it looks at pictures as CLIP does. */
import sharp from "sharp";
import type { ModelSessions } from "../models/sessions.ts";
import type { Rgb } from "../pipeline/raster.ts";

/** CLIP's own size and normalisation. */
const SIDE = 224;
const MEAN = [0.48145466, 0.4578275, 0.40821073] as const;
const DEVIATION = [0.26862954, 0.26130258, 0.27577711] as const;

async function clipInput({ width, height, data }: Rgb): Promise<Float32Array> {
  const levels = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize(SIDE, SIDE, { fit: "cover", position: "centre", kernel: "cubic" })
    .raw()
    .toBuffer();
  const size = SIDE * SIDE;
  return Float32Array.from({ length: 3 * size }, (_, i) => {
    const c = Math.floor(i / size);
    return ((levels[(i % size) * 3 + c] ?? 0) / 255 - (MEAN[c] ?? 0)) / (DEVIATION[c] ?? 1);
  });
}

/** Whether the checker finds what no shop shows; a folder without a checker objects to nothing. */
export async function isObjectedTo(
  picture: Rgb,
  checker: string | undefined,
  sessions: Pick<ModelSessions, "part">,
): Promise<boolean> {
  if (checker === undefined) return false;
  const part = await sessions.part(checker);
  const { width, height, data } = picture;
  const feeds = {
    clip_input: part.tensor("clip_input", await clipInput(picture), [1, 3, SIDE, SIDE]),
    images: part.tensor(
      "images",
      Float32Array.from(data, (level) => level / 255),
      [1, height, width, 3],
    ),
  };
  const [concepts] = await part.run(feeds, ["has_nsfw_concepts"]);
  return (concepts?.[0] ?? 0) > 0;
}
