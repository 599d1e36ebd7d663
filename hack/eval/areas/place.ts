/** Layout, fidelity and shadow of placed products, worked out again from the pixels of what `place` delivers. */
import { Brand } from "#crds/brand.ts";
import type { Box } from "#crds/runner-report.ts";
import { alphaBox } from "../../../gpu-runner/pipeline/matte.ts";
import { type Alpha, cropBytes, type Rgb } from "../../../gpu-runner/pipeline/raster.ts";
import { makeShadow, STUDIO_SHADOW } from "../../../gpu-runner/pipeline/shadow.ts";
import { ingest } from "../../../gpu-runner/stages/ingest.ts";
import { decodePicture, encodePng, resizeRgb } from "../../../gpu-runner/stages/picture-codec.ts";
import { place } from "../../../gpu-runner/stages/place.ts";
import { BOX_ALPHA } from "../../../gpu-runner/stages/segment.ts";
import { quantile } from "../../bench/report.ts";
import type { Cutter } from "../cutters/cutter.ts";
import { LIMITS } from "../cutters/pipeline.ts";
import { type AreaResult, type Exhibit, type Figure, mean } from "../figures.ts";
import { thumbnail } from "../page/thumbnail.ts";
import {
  boxOverlap,
  clippedPixels,
  compareInside,
  type CoreDifference,
  fillError,
  insideAt,
} from "./placement-checks.ts";

const NATIVE = { ...LIMITS, maxScenePixels: 2e8 };
/** Small enough that products shrink. */
const SHRUNK = { ...LIMITS, maxScenePixels: 2e5 };
const LAYOUTS = [
  { anchor: "centre", fillPercent: 80, marginPercent: 6 },
  { anchor: "bottom", fillPercent: 55, marginPercent: 12 },
  { anchor: "top-left", fillPercent: 100, marginPercent: 0 },
] as const;
const EROSION_PIXELS = 2;

export interface Subject {
  readonly name: string;
  readonly photo: Buffer;
  /** Whether a layout may snap it to the frame's edge. */
  readonly touchesFrame: boolean;
}

interface Cut {
  readonly photo: Buffer;
  readonly cutout: Uint8Array;
  readonly source: Rgb;
  readonly alpha: Alpha;
}

async function cutProduct(photo: Buffer, cutter: Cutter): Promise<Cut | undefined> {
  const found = await cutter.cut(photo);
  const box = found && alphaBox(found.alpha, BOX_ALPHA);
  if (!box) return undefined;
  const { rgb } = await ingest(photo, LIMITS);
  const { bytes } = await encodePng(found.colour, found.alpha);
  return { photo, cutout: bytes, source: cropBytes(rgb, box, 3), alpha: cropBytes(found.alpha, box, 1) };
}

interface LayoutErrors {
  readonly clipped: number;
  readonly overlap: number;
  readonly fill: number | undefined;
}

async function checkLayout(cut: Cut, touchesFrame: boolean): Promise<LayoutErrors[]> {
  const found: LayoutErrors[] = [];
  for (const layout of LAYOUTS) {
    const brand = Brand.parse({ placement: "transparent", layout });
    const { picture, facts } = await place({ photo: cut.photo, cutout: cut.cutout, brand }, NATIVE);
    const { alpha } = await decodePicture(picture.bytes);
    if (!alpha) throw new Error("a transparent placement has no alpha");
    found.push({
      clipped: clippedPixels(alpha, facts.frames),
      overlap: boxOverlap(alpha, facts.productBox, BOX_ALPHA),
      fill: touchesFrame ? undefined : fillError(facts.productBox, facts.frames, layout),
    });
  }
  return found;
}

interface Placed {
  readonly difference: CoreDifference;
  readonly jpeg: Uint8Array;
}

/** The product's inside in a set, beside the photo's after the same resize. */
async function checkFidelity(
  cut: Cut,
  placement: "studio" | "color",
  settings: typeof NATIVE,
): Promise<Placed> {
  const { picture, facts } = await place(
    { photo: cut.photo, cutout: cut.cutout, brand: Brand.parse({ placement }) },
    settings,
  );
  const { rgb } = await decodePicture(picture.bytes);
  const box: Box = facts.productBox;
  const reference = await resizeRgb(cut.source, box);
  const radius = facts.scale === 1 ? EROSION_PIXELS : Math.ceil(4 / facts.scale) + EROSION_PIXELS;
  const difference = compareInside(rgb, box, reference, insideAt(cut.alpha, box, radius));
  return { difference, jpeg: await thumbnail(picture.bytes) };
}

/** Darkness from which a shadow is seen. */
const VISIBLE = 0.03;

/** A block of the given size, its lower half a little wider than a foot. */
function block(width: number, height: number): Alpha {
  return { width, height, data: new Uint8Array(width * height).fill(255) };
}

/** Rows between the product's foot and the first row below in which its shadow is seen. */
function contactGap(silhouette: Alpha): number {
  const { darkness, room } = makeShadow(silhouette, STUDIO_SHADOW);
  const column = room.left + Math.floor(silhouette.width / 2);
  for (let row = silhouette.height; row < darkness.height; row++) {
    if ((darkness.data[row * darkness.width + column] ?? 0) >= VISIBLE) return row - silhouette.height;
  }
  return Infinity;
}

function shadowFigures(): Figure[] {
  const heights = [60, 120, 240, 480];
  const energies = heights.map((height) =>
    makeShadow(block(160, height), STUDIO_SHADOW).darkness.data.reduce((sum, value) => sum + value, 0),
  );
  const rising = energies.every((energy, i) => i === 0 || energy >= (energies[i - 1] ?? 0));
  const twice = [0, 1].map(() =>
    Buffer.from(makeShadow(block(160, 240), STUDIO_SHADOW).darkness.data.buffer),
  );
  const gaps = heights.map((height) => contactGap(block(160, height)));
  const [first, second] = twice;
  const equal = first !== undefined && second !== undefined && first.equals(second);
  return [
    {
      key: "shadow_contact_gap_px",
      label: "gap between foot and shadow (px)",
      ours: Math.max(...gaps),
      bar: { value: 1, better: "lower" },
    },
    {
      key: "shadow_rises_with_height",
      label: "shadow grows with height (1 yes)",
      ours: rising ? 1 : 0,
      bar: { value: 1, better: "higher" },
    },
    {
      key: "shadow_bit_equal",
      label: "shadow bit-equal twice (1 yes)",
      ours: equal ? 1 : 0,
      bar: { value: 1, better: "higher" },
    },
  ];
}

const finite = (psnr: number) => (psnr === Infinity ? 99 : psnr);

/** The 95th percentile over all pixels, of which those that are not listed are equal. */
function p95OfAll({ pixels, differences }: CoreDifference): number {
  const share = differences.length / Math.max(1, pixels);
  return share <= 0.05 ? 0 : quantile(differences, 1 - 0.05 / share);
}

function fidelityFigures(native: readonly CoreDifference[], shrunk: readonly CoreDifference[]): Figure[] {
  const coloured = shrunk.map(p95OfAll);
  return [
    { key: "fidelity_pictures", label: "fidelity: placed pictures", ours: native.length + shrunk.length },
    {
      key: "fidelity_max_levels",
      label: "fidelity at native size, largest difference (levels)",
      ours: Math.max(...native.map(({ maxLevels }) => maxLevels)),
      bar: { value: 0, better: "lower" },
    },
    {
      key: "fidelity_resized_p95_de00",
      label: "fidelity after a resize, worst p95 ΔE00",
      ours: Math.max(...coloured),
      bar: { value: 1, better: "lower" },
    },
    {
      key: "fidelity_resized_psnr_db",
      label: "fidelity after a resize, worst PSNR (dB; 99 equal)",
      ours: Math.min(...shrunk.map(({ psnr }) => finite(psnr))),
      bar: { value: 45, better: "higher" },
    },
  ];
}

function layoutFigures(errors: readonly LayoutErrors[]): Figure[] {
  const fills = errors.map(({ fill }) => fill).filter((fill) => fill !== undefined);
  const clipped = errors.reduce((sum, error) => sum + error.clipped, 0);
  return [
    {
      key: "layout_clipped_px",
      label: "layout: product pixels cut off",
      ours: clipped,
      bar: { value: 0, better: "lower" },
    },
    {
      key: "layout_fill_error_px",
      label: "layout: largest fill error (px)",
      ours: Math.max(0, ...fills),
      bar: { value: 1, better: "lower" },
    },
    {
      key: "layout_box_iou",
      label: "layout: planned box against visible (mean IoU)",
      ours: mean(errors.map(({ overlap }) => overlap)),
    },
  ];
}

/** @param subjects photos of products; those in which `cutter` finds none are left out and said */
export async function measurePlace(
  subjects: readonly Subject[],
  cutter: Cutter,
  onProgress: (text: string) => void,
): Promise<AreaResult> {
  const layouts: LayoutErrors[] = [];
  const native: CoreDifference[] = [];
  const shrunk: CoreDifference[] = [];
  const exhibits: Exhibit[] = [];
  const left: string[] = [];
  for (const { name, photo, touchesFrame } of subjects) {
    onProgress(name);
    const cut = await cutProduct(photo, cutter);
    if (!cut) {
      left.push(`${name}: no product found`);
      continue;
    }
    layouts.push(...(await checkLayout(cut, touchesFrame)));
    const studio = await checkFidelity(cut, "studio", NATIVE);
    const flat = await checkFidelity(cut, "color", NATIVE);
    native.push(studio.difference, flat.difference);
    shrunk.push((await checkFidelity(cut, "studio", SHRUNK)).difference);
    const panels = [
      { label: "photo", bytes: await thumbnail(photo) },
      { label: "studio", bytes: studio.jpeg },
      { label: "colour", bytes: flat.jpeg },
    ];
    exhibits.push({ heading: "Placed", about: name, panels });
  }
  return {
    area: "place",
    figures: [...layoutFigures(layouts), ...fidelityFigures(native, shrunk), ...shadowFigures()],
    lines: left,
    exhibits,
  };
}
