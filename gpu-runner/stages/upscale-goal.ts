import type { Brand } from "#crds/brand.ts";
import type { StageRecord } from "#crds/runner-report.ts";
import type { Export } from "#crds/stages.ts";
import { type Placed, planChannel } from "../channels/plan.ts";
import { channelOf, type ChannelProfile } from "../channels/profiles.ts";
import { enlarged } from "../pipeline/box.ts";
import { PlaceFacts, SegmentFacts } from "./facts.ts";

/** What rounding to whole pixels may take from a cut, in pixels of the result. */
const SPARE_PIXELS = 4;

export interface Scene extends Omit<Placed, "frame"> {
  /** The cuts that were planned with the scene, by export or ratio. */
  readonly frames: PlaceFacts["frames"];
}

function enlargedScene(scene: Scene, factor: number): Scene {
  const { picture, product, content, frames } = scene;
  return {
    ...scene,
    picture: { width: Math.round(picture.width * factor), height: Math.round(picture.height * factor) },
    product: enlarged(product, factor),
    content: enlarged(content, factor),
    frames: Object.fromEntries(Object.entries(frames).map(([name, box]) => [name, enlarged(box, factor)])),
  };
}

/** The share of the scene's pixels, by side, that a channel's wanted size needs. */
function shareFor(name: Export, profile: ChannelProfile, { frames, ...placed }: Scene): number {
  const { ratio, longestSide } = profile;
  const frame = frames[name] ?? frames[`${ratio.width}:${ratio.height}`];
  const plan = planChannel(profile, { ...placed, ...(frame && { frame }) });
  if ("refused" in plan) return 1;
  return Math.min(1, (longestSide.wanted + SPARE_PIXELS) / Math.max(plan.cut.width, plan.cut.height));
}

/**
 * Pixels of the finished picture's longer side beyond which none of the exports uses any; undefined when one
 * of them takes the picture as large as it gets, as all but the channels do.
 * @param scene before it is enlarged. `factor`: the brand's.
 */
export function longestSideUsed(
  exports: readonly Export[],
  scene: Scene,
  factor: number,
): number | undefined {
  const largest = enlargedScene(scene, factor);
  const shares: number[] = [];
  for (const name of exports) {
    const profile = channelOf(name);
    if (!profile) return undefined;
    shares.push(shareFor(name, profile, largest));
  }
  return Math.ceil(Math.max(largest.picture.width, largest.picture.height) * Math.max(...shares));
}

/** The same from the records of the stages before; empty when nothing was placed. */
export function longestSideOf(
  records: readonly Pick<StageRecord, "stage" | "facts" | "width" | "height">[],
  { exports, upscale }: Pick<Brand, "exports" | "upscale">,
): { longestSide?: number } {
  const placed = records.find(({ stage }) => stage === "place");
  if (!placed) return {};
  const { productBox, contentBox, frames } = PlaceFacts.parse(placed.facts);
  const cut = records.find(({ stage }) => stage === "segment");
  const scene: Scene = {
    picture: placed,
    product: productBox,
    content: contentBox,
    frames,
    cutOff: cut ? SegmentFacts.parse(cut.facts).touchesFrame : [],
  };
  const longestSide = longestSideUsed(exports, scene, upscale);
  return longestSide === undefined ? {} : { longestSide };
}
