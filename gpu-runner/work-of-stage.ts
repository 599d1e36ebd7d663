import type { Brand } from "#crds/brand.ts";
import type { StageRecord } from "#crds/runner-report.ts";
import type { Stage } from "#crds/stages.ts";
import { Failure } from "./failure.ts";
import { productBoxOf } from "./report.ts";
import type { StageWork } from "./stage-work.ts";
import { longestSideOf } from "./stages/upscale-goal.ts";

/** What all items of a manifest, or a recipe, are made by. */
export interface Orders {
  readonly brand: Brand;
  readonly stages: readonly Stage[];
  /** Side of the upscaling tiles, as a part of the model's own. Without it, 1. */
  readonly tileScale?: number | undefined;
}

/** Read only by the stages that need them. */
export interface WorkSources {
  readonly photo: () => Promise<Uint8Array>;
  /** The picture behind the product, where the brand has one. */
  readonly backdrop: () => Promise<Uint8Array | undefined>;
  /** Of the stage before; undefined for the first. */
  readonly picture: Uint8Array | undefined;
  /** Of the stages before, in their order. */
  readonly records: readonly Pick<StageRecord, "stage" | "facts" | "width" | "height">[];
}

function pictureFor(stage: Stage, { picture }: WorkSources): Uint8Array {
  if (picture) return picture;
  throw new Failure("config", `stage ${stage} needs the stage before it: put "segment" first`);
}

/**
 * What a stage is to do: the same for a pod and for one who makes its pictures again.
 * @throws {Failure} `config` when the stage before is missing, and as the sources do.
 */
export async function workOfStage(stage: Stage, orders: Orders, sources: WorkSources): Promise<StageWork> {
  const { brand, stages, tileScale } = orders;
  switch (stage) {
    case "segment":
      return { stage, photo: await sources.photo(), minScore: brand.minScore };
    case "place": {
      const picture = pictureFor(stage, sources);
      const upscale = stages.includes("upscale") ? brand.upscale : 1;
      const backdrop = await sources.backdrop();
      return { stage, photo: await sources.photo(), picture, brand, upscale, ...(backdrop && { backdrop }) };
    }
    case "upscale":
      return {
        stage,
        picture: pictureFor(stage, sources),
        factor: brand.upscale,
        ...(tileScale !== undefined && { tileScale }),
        ...productBoxOf(sources.records),
        ...longestSideOf(sources.records, brand),
      };
    default:
      return stage satisfies never;
  }
}
