/** Between pictures and latents. One picture at a time, so that memory and bits do not depend on the batch. */
import type { Box } from "#crds/runner-report.ts";
import type { Rgb } from "../pipeline/raster.ts";
import { checkFinite } from "./finite.ts";
import type { ModelKind } from "./model-kind.ts";
import type { OnnxPart } from "./onnx-part.ts";
import { type Area, cutTile, planOverlapping, TileBlend } from "./vae-tiles.ts";

/** Larger pictures go through the VAE in tiles: its attention grows with the square of the area. */
const LARGEST_WHOLE_PIXELS = 768 * 768;
const TILE_PIXELS = 512;
const OVERLAP_PIXELS = 128;

export interface Vae {
  /**
   * [channels, height / factor, width / factor], scaled for the UNet; the mean where the file gives a distribution.
   * @param planes [3, height, width], -1..1
   * @throws {BadModelFolder} when the network overflows; so does decode
   */
  encode(planes: Float32Array, area: Area): Promise<Float32Array>;
  /** [3, height, width], about -1..1, of latents of one picture; `area` in pixels. */
  decode(latents: Float32Array, area: Area): Promise<Float32Array>;
}

interface Networks {
  readonly decoder: OnnxPart;
  readonly encoder: () => Promise<OnnxPart>;
}

/** A network that takes and gives so many values a side for each latent cell. */
interface Tiling {
  readonly run: (planes: Float32Array, area: Area) => Promise<Float32Array>;
  readonly taken: number;
  readonly given: number;
  readonly factor: number;
}

const scaledBox = ({ x, y, width, height }: Box, scale: number): Box => ({
  x: x * scale,
  y: y * scale,
  width: width * scale,
  height: height * scale,
});

/** Tiles begin at whole cells, or what comes out would lie beside what goes in. */
async function inTiles(planes: Float32Array, cells: Area, tiling: Tiling): Promise<Float32Array> {
  const { run, taken, given, factor } = tiling;
  const overlap = OVERLAP_PIXELS / factor;
  const area = { width: cells.width * taken, height: cells.height * taken };
  const whole = { width: cells.width * given, height: cells.height * given };
  let blend: TileBlend | undefined;
  for (const tile of planOverlapping(cells, TILE_PIXELS / factor, overlap)) {
    const from = scaledBox(tile, taken);
    const to = scaledBox(tile, given);
    const values = await run(cutTile(planes, area, from), from);
    blend ??= new TileBlend(whole, values.length / (to.width * to.height), overlap * given);
    blend.add(to, values);
  }
  return blend?.finish() ?? new Float32Array();
}

const isWhole = ({ width, height }: Area) => width * height <= LARGEST_WHOLE_PIXELS;

export function createVae({ decoder, encoder }: Networks, kind: ModelKind): Vae {
  const { factor, scaling, latentChannels } = kind;

  async function runEncoder(planes: Float32Array, { width, height }: Area): Promise<Float32Array> {
    const part = await encoder();
    const feeds = { sample: part.tensor("sample", planes, [1, 3, height, width]) };
    const output = part.outputs.has("latent_parameters") ? "latent_parameters" : "latent_sample";
    const [values = new Float32Array()] = await part.run(feeds, [output]);
    checkFinite(values, "vae_encoder/model.onnx");
    const size = (latentChannels * width * height) / factor ** 2;
    return values.subarray(0, size);
  }

  async function runDecoder(latents: Float32Array, { width, height }: Area): Promise<Float32Array> {
    const sample = decoder.tensor("latent_sample", latents, [1, latentChannels, height, width]);
    const [values = new Float32Array()] = await decoder.run({ latent_sample: sample }, ["sample"]);
    checkFinite(values, "vae_decoder/model.onnx");
    return values;
  }

  const cellsOf = ({ width, height }: Area) => ({ width: width / factor, height: height / factor });
  return {
    async encode(planes, area) {
      const latents = isWhole(area)
        ? await runEncoder(planes, area)
        : await inTiles(planes, cellsOf(area), { run: runEncoder, taken: factor, given: 1, factor });
      return latents.map((value) => value * scaling);
    },
    async decode(latents, area) {
      const unscaled = latents.map((value) => value / scaling);
      const cells = cellsOf(area);
      if (isWhole(area)) return runDecoder(unscaled, cells);
      return inTiles(unscaled, cells, { run: runDecoder, taken: 1, given: factor, factor });
    },
  };
}

/** As the VAE takes pictures: [3, height, width], -1..1. */
export function toPlanes({ width, height, data }: Rgb): Float32Array {
  const size = width * height;
  const out = new Float32Array(3 * size);
  for (let i = 0; i < size; i++) {
    for (let c = 0; c < 3; c++) out[c * size + i] = ((data[i * 3 + c] ?? 0) / 255) * 2 - 1;
  }
  return out;
}

/** And as it gives them. */
export function toRgb(planes: Float32Array, { width, height }: Area): Rgb {
  const size = width * height;
  const data = new Uint8Array(3 * size);
  for (let i = 0; i < size; i++) {
    for (let c = 0; c < 3; c++) {
      const share = (planes[c * size + i] ?? 0) / 2 + 0.5;
      data[i * 3 + c] = Math.round(255 * Math.min(1, Math.max(0, share)));
    }
  }
  return { width, height, data };
}
