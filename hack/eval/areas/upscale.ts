/** Enlargements of shrunk real photos against the photos, beside Lanczos-3 and bicubic; and whether tiles show. */
import sharp from "sharp";
import { type UpscaleEntry, upscaler, type UpscalerQuality } from "../../../gpu-runner/models/catalogue.ts";
import type { ModelSessions } from "../../../gpu-runner/models/sessions.ts";
import { cropBytes, type Rgb } from "../../../gpu-runner/pipeline/raster.ts";
import { fittedTile } from "../../../gpu-runner/pipeline/tiles.ts";
import { decodePicture, encodePng } from "../../../gpu-runner/stages/picture-codec.ts";
import { upscale } from "../../../gpu-runner/stages/upscale.ts";
import { type AreaResult, type Exhibit, type Figure, mean } from "../figures.ts";
import { BICUBIC, interpolate, LANCZOS_3 } from "../metrics/interpolate.ts";
import { brightness, brightnessPsnr, largestDifference, seamRatio } from "../metrics/sharpness.ts";
import type { RealPhoto } from "../real-photos.ts";

/** Side of the part that is shrunk and restored. */
const CROP = 320;
const BORDER = 8;
/** At least this much on both sides of the seams' picture: several tiles. */
const SEAM_SIDE = 400;

/** The square with the most detail: where enlarging is hardest, and looked at first. */
function busiest(photo: Rgb, side: number): Rgb {
  const stride = side / 4;
  let best = { x: 0, y: 0, detail: -1 };
  for (let y = 0; y + side <= photo.height; y += stride) {
    for (let x = 0; x + side <= photo.width; x += stride) {
      let detail = 0;
      for (let row = y; row < y + side; row += 2) {
        for (let i = row * photo.width + x; i < row * photo.width + x + side - 1; i += 2) {
          detail += Math.abs(brightness(photo, i + 1) - brightness(photo, i));
        }
      }
      if (detail > best.detail) best = { x, y, detail };
    }
  }
  return cropBytes(photo, { x: best.x, y: best.y, width: side, height: side }, 3);
}

export interface Enlargement {
  readonly factor: 2 | 4;
  readonly quality: UpscalerQuality;
}

interface Enlarger {
  readonly model: UpscaleEntry;
  readonly sessions: ModelSessions;
}

async function enlarge(picture: Rgb, { model, sessions }: Enlarger): Promise<Rgb> {
  const { bytes } = await encodePng(picture);
  const large = await upscale({ picture: bytes }, model, sessions);
  return (await decodePicture(large.picture.bytes)).rgb;
}

/** By bicubic with its own filtering, as the field's benchmarks shrink; libvips keeps pixel centres here. */
async function shrunk({ width, height, data }: Rgb, side: number): Promise<Rgb> {
  const small = sharp(data, { raw: { width, height, channels: 3 } }).resize(side, side, { kernel: "cubic" });
  return { width: side, height: side, data: await small.raw().toBuffer() };
}

interface Restored {
  /** dB over Lanczos-3. */
  readonly gain: number;
  readonly bicubicGain: number;
  readonly exhibit: Exhibit;
}

async function panel(label: string, picture: Rgb) {
  return { label, bytes: (await encodePng(picture)).bytes };
}

async function restore(name: string, original: Rgb, enlarger: Enlarger): Promise<Restored> {
  const { name: by, task } = enlarger.model;
  const { factor } = task;
  const small = await shrunk(original, CROP / factor);
  const own = await enlarge(small, enlarger);
  const lanczos = interpolate(small, factor, LANCZOS_3);
  const cubic = interpolate(small, factor, BICUBIC);
  const psnr = (picture: Rgb) => brightnessPsnr(picture, original, BORDER);
  const say = (label: string, picture: Rgb) => panel(`${label} ${psnr(picture).toFixed(2)} dB`, picture);
  const panels = [
    await panel("original", original),
    await say("ours", own),
    await say("Lanczos-3", lanczos),
    await say("bicubic", cubic),
  ];
  return {
    gain: psnr(own) - psnr(lanczos),
    bicubicGain: psnr(cubic) - psnr(lanczos),
    exhibit: { heading: `Restored ×${factor} by ${by}`, about: name, panels },
  };
}

async function seams(photo: Rgb, sessions: ModelSessions): Promise<{ ratio: number; difference: number }> {
  const picture = busiest(photo, SEAM_SIDE);
  const model = upscaler(2, "fast");
  const { tile, padding } = model.task;
  const whole = { ...model, task: { ...model.task, tile: SEAM_SIDE + 2 * padding } };
  const { factor } = model.task;
  const tiled = await enlarge(picture, { model, sessions });
  const inOne = await enlarge(picture, { model: whole, sessions });
  const step = (fittedTile(picture, tile, padding).width - 2 * padding) * factor;
  return { ratio: seamRatio(tiled, inOne, step), difference: largestDifference(tiled, inOne) };
}

export interface UpscaleSubjects {
  readonly photos: readonly RealPhoto[];
  readonly enlargements: readonly Enlargement[];
  readonly sessions: ModelSessions;
  readonly onProgress: (text: string) => void;
}

async function largeEnough(photos: readonly RealPhoto[]): Promise<{ name: string; rgb: Rgb }[]> {
  const decoded = [];
  for (const { name, bytes } of photos) {
    const { rgb } = await decodePicture(bytes);
    if (Math.min(rgb.width, rgb.height) >= SEAM_SIDE) decoded.push({ name, rgb });
  }
  return decoded;
}

export async function measureUpscale({
  photos,
  enlargements,
  sessions,
  onProgress,
}: UpscaleSubjects): Promise<AreaResult> {
  const subjects = await largeEnough(photos);
  const figures: Figure[] = [
    { key: "sr_pictures", label: "enlargement: real photos", ours: subjects.length },
  ];
  const exhibits: Exhibit[] = [];
  const lines: string[] = [];
  for (const { factor, quality } of enlargements) {
    const model = upscaler(factor, quality);
    const what = `${quality} ×${factor}`;
    const restored: Restored[] = [];
    for (const { name, rgb } of subjects) {
      onProgress(`${what}, ${name}`);
      restored.push(await restore(name, busiest(rgb, CROP), { model, sessions }));
    }
    const sorted = [...restored].sort((a, b) => a.gain - b.gain);
    const [worst, best] = [sorted[0], sorted.at(-1)];
    if (worst && best) exhibits.push(worst.exhibit, best.exhibit);
    lines.push(
      `${what} by ${model.name}: ${worst?.gain.toFixed(2)} to ${best?.gain.toFixed(2)} dB over Lanczos-3`,
    );
    figures.push({
      key: `sr_gain_db_${quality}_x${factor}`,
      label: `enlargement ${what}: PSNR-Y over Lanczos-3 (dB; baseline bicubic)`,
      ours: mean(restored.map(({ gain }) => gain)),
      baseline: mean(restored.map(({ bicubicGain }) => bicubicGain)),
      bar: { value: 1, better: "higher" },
    });
  }
  const seamed = [];
  for (const { name, rgb } of subjects.slice(0, 3)) {
    onProgress(`seams, ${name}`);
    seamed.push(await seams(rgb, sessions));
  }
  figures.push(
    {
      key: "seam_ratio",
      label: "steps across tile borders ÷ elsewhere",
      ours: Math.max(...seamed.map(({ ratio }) => ratio)),
      bar: { value: 1.02, better: "lower" },
    },
    {
      key: "seam_difference_levels",
      label: "tiled against whole, largest difference (levels)",
      ours: Math.max(...seamed.map(({ difference }) => difference)),
      bar: { value: 0.05, better: "lower" },
    },
  );
  return { area: "upscale", figures, lines, exhibits };
}
