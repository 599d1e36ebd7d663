/**
 * How an item's pictures were made, in JSON that makes the same bytes again: `render` repeats the stages with the
 * recipe's settings. Floating-point sums depend on the processor, the number of threads and the versions of the
 * libraries, so equal bytes are promised on one kind of machine with the versions that the recipe names.
 */
import { Brand } from "#crds/brand.ts";
import type { ShardItem, ShardManifest, StageRecord } from "#crds/runner-report.ts";
import { Stage, STAGES } from "#crds/stages.ts";
import * as z from "zod";
import { CATALOGUE } from "./models/catalogue.ts";
import type { StageResult, StageWork } from "./stage-work.ts";
import { GeneratedFacts, PlaceFacts, SegmentFacts, UpscaleFacts } from "./stages/facts.ts";
import { SceneSettings } from "./stages/scene-settings.ts";
import { workOfStage } from "./work-of-stage.ts";

/** The runner's settings and versions on which its pictures depend. */
export const Machine = z.object({
  runnerVersion: z.string(),
  /** Of node, onnxruntime-node, sharp and what sharp is built on, by name. */
  versions: z.record(z.string(), z.string()),
  platform: z.string(),
  provider: z.enum(["cpu", "cuda"]),
  intraOpThreads: z.int(),
  upscalerQuality: z.enum(["fast", "fine"]),
  maxSourceMegapixels: z.number(),
  workingPixels: z.int(),
  maxFinalPixels: z.number(),
  /** How scenes are painted. Absent in older recipes. */
  scenes: SceneSettings.optional(),
});
export type Machine = z.infer<typeof Machine>;

const Made = z.object({ stage: Stage, sha256: z.string(), width: z.int(), height: z.int() });

export const Recipe = z.object({
  v: z.literal(1),
  machine: Machine,
  /** The photo as uploaded, `<container>/<path>`, and what it was. */
  source: z.object({ ref: z.string(), sha256: z.string() }),
  brand: Brand,
  stages: z.array(Stage),
  /** Side of the upscaling tiles, as a part of the model's own: memory may have run out. */
  tileScale: z.number(),
  models: z.array(z.object({ name: z.string(), sha256: z.string() })),
  /** How the scene was painted, with the prompt as the model was given it; placement `generated` alone. */
  generated: GeneratedFacts.optional(),
  /** What came of it, in the order of the stages. */
  made: z.array(Made),
});
export type Recipe = z.infer<typeof Recipe>;

interface Ingredients {
  readonly manifest: ShardManifest;
  readonly item: ShardItem;
  readonly stages: readonly StageRecord[];
  readonly machine: Machine;
}

const factsOf = (stages: readonly StageRecord[], name: Stage) =>
  stages.find(({ stage }) => stage === name)?.facts;

function tileScaleOf(upscale: UpscaleFacts | undefined): number {
  const model = CATALOGUE.find(({ name }) => name === upscale?.model?.name);
  if (!upscale || model?.task.kind !== "upscale") return 1;
  return Math.min(1, upscale.tilePixels / model.task.tile);
}

/** The recipe of an item whose stages have their records. */
export function composeRecipe({ manifest, item, stages, machine }: Ingredients): Recipe {
  const [cut, large] = [factsOf(stages, "segment"), factsOf(stages, "upscale")];
  const segment = cut && SegmentFacts.parse(cut);
  const upscale = large && UpscaleFacts.parse(large);
  const placed = factsOf(stages, "place");
  const generated = placed && PlaceFacts.parse(placed).generated;
  const models = [segment?.model, generated?.model, upscale?.model].filter((model) => model !== undefined);
  return {
    v: 1,
    machine,
    source: { ref: item.source, sha256: segment?.source.sha256 ?? "" },
    brand: manifest.brand,
    stages: STAGES.filter((stage) => manifest.stages.includes(stage)),
    tileScale: tileScaleOf(upscale),
    models: models.map(({ name, sha256 }) => ({ name, sha256 })),
    ...(generated && { generated }),
    made: stages.map(({ stage, sha256, width, height }) => ({ stage, sha256, width, height })),
  };
}

export interface RenderInputs {
  /** The photo of `recipe.source`. */
  readonly photo: Uint8Array;
  /** For placement `image`: the picture of `recipe.brand.image`. */
  readonly backdrop?: Uint8Array | undefined;
  /** Runs a stage with the settings of `recipe.machine`: an engine's `run`. */
  readonly run: (work: StageWork) => Promise<StageResult>;
}

type Rendered = ReadonlyMap<Stage, StageResult>;

/** Of a stage's record what later stages ask for. */
function recordOf([stage, { facts, picture }]: readonly [Stage, StageResult]) {
  return { stage, facts, width: picture.width, height: picture.height };
}

/** Makes an item's pictures again, stage by stage. @throws {Failure} as the stages do. */
export async function render(recipe: Recipe, inputs: RenderInputs): Promise<Rendered> {
  const done = new Map<Stage, StageResult>();
  for (const stage of recipe.stages) {
    const work = await workOfStage(stage, recipe, {
      photo: () => Promise.resolve(inputs.photo),
      backdrop: () => Promise.resolve(inputs.backdrop),
      picture: [...done.values()].at(-1)?.picture.bytes,
      records: [...done].map(recordOf),
    });
    done.set(stage, await inputs.run(work));
  }
  return done;
}
