/** The model that paints scenes: where its folder lies, and how such a model is used. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { BadModelFolder, type ModelFolder } from "../diffusion/model-folder.ts";
import { type DiffusionPipeline, openPipeline } from "../diffusion/pipeline.ts";
import { createScheduler } from "../diffusion/schedulers/from-config.ts";
import { Failure } from "../failure.ts";
import type { UpscalerQuality } from "../models/catalogue.ts";
import { FOLDER_CATALOGUE } from "../models/folder-catalogue.ts";
import { folderSha256 } from "../models/folder-identity.ts";
import type { ModelSessions } from "../models/sessions.ts";
import type { Size } from "../pipeline/layout.ts";
import { usualSizes } from "../pipeline/scene-canvas.ts";
import type { ModelUsed } from "./facts.ts";
import { OWN_SCENE_MODEL, type SceneSettings } from "./scene-settings.ts";

export interface SceneModels {
  readonly sessions: ModelSessions;
  readonly modelsDir: string;
  readonly upscalerQuality: UpscalerQuality;
  readonly settings: SceneSettings;
  readonly onStep?: ((done: number, of: number) => void) | undefined;
}

const OWN_FOLDER = fileURLToPath(new URL("../diffusion/scene-model", import.meta.url));

/** Steps and guidance of a model whose folder says nothing of its own. */
const USUAL = { steps: 25, guidance: 7.5 };
/** LCM: told its guidance. Turbo: has none. */
const DISTILLED = { lcm: { steps: 6, guidance: 8 }, turbo: { steps: 4, guidance: 0 } };

export function sceneFolder(modelsDir: string, name: string): string {
  return name === OWN_SCENE_MODEL ? OWN_FOLDER : join(modelsDir, name);
}

const pulling = ({ model }: SceneSettings) =>
  model === OWN_SCENE_MODEL ? "" : `; \`npm run models -- pull ${model} --from URL|DIR\` brings a whole one`;

async function openPainter({ sessions, modelsDir, settings }: SceneModels): Promise<DiffusionPipeline> {
  try {
    const pipeline = await openPipeline(sceneFolder(modelsDir, settings.model), (path, edit) =>
      sessions.part(path, edit),
    );
    const { steps, scheduler: name } = sceneSteps(pipeline, settings);
    createScheduler(pipeline.folder.scheduler, { steps, name });
    return pipeline;
  } catch (cause) {
    if (!(cause instanceof BadModelFolder || cause instanceof RangeError)) throw cause;
    throw new Failure("model", `the scene model ${settings.model}: ${cause.message}${pulling(settings)}`, {
      cause,
    });
  }
}

async function openUsed(models: SceneModels): Promise<SceneModel> {
  const model = await openPainter(models);
  const { dir, index } = model.folder;
  const { model: name } = models.settings;
  const known = FOLDER_CATALOGUE.find((entry) => entry.name === name);
  const licence =
    known?.licence ?? index.opal?.licence ?? (name === OWN_SCENE_MODEL ? "OPAL's own" : "not stated");
  return { model, used: { name, sha256: await folderSha256(dir), licence } };
}

export interface SceneModel {
  readonly model: DiffusionPipeline;
  readonly used: ModelUsed;
}

/** @throws {Failure} `model` when the folder is missing or not whole. */
export type OpenSceneModel = () => Promise<SceneModel>;

/** Opens the scene model when it is first asked for, and gives the same one from then on. */
export function sceneModelOf(models: SceneModels): OpenSceneModel {
  let opened: Promise<SceneModel> | undefined;
  return () => {
    if (!opened) {
      opened = openUsed(models);
      opened.catch(() => (opened = undefined));
    }
    return opened;
  };
}

/** Pixels to which sides are rounded: the network halves latents once for each of its levels but the first. */
function sideStep({ unetConfig }: ModelFolder, factor: number): number {
  const levels = unetConfig.block_out_channels?.length ?? 4;
  return factor * 2 ** (levels - 1);
}

/** The sizes in which a model paints: few, so that each is warmed once. */
export function sceneSizes({ folder, kind }: DiffusionPipeline): Size[] {
  const own = folder.index.opal?.sizes;
  if (own) return own.map(([width, height]) => ({ width, height }));
  return usualSizes(kind.nativeSize, sideStep(folder, kind.factor));
}

/** Turbo models are the ones that come with Euler's steps from the very end on. */
const TurboScheduler = z.looseObject({
  _class_name: z.literal("EulerDiscreteScheduler"),
  timestep_spacing: z.literal("trailing"),
});

function usualSteps({ folder, kind }: DiffusionPipeline) {
  if (kind.guidanceWidth !== undefined) return DISTILLED.lcm;
  return TurboScheduler.safeParse(folder.scheduler).success ? DISTILLED.turbo : USUAL;
}

/** How a scene is painted: as the settings say, else the model's folder, else as is usual for its kind. */
export function sceneSteps(pipeline: DiffusionPipeline, settings: SceneSettings) {
  const usual = usualSteps(pipeline);
  const own = pipeline.folder.index.opal;
  return {
    steps: settings.steps ?? own?.steps ?? usual.steps,
    guidance: settings.guidance ?? own?.guidance ?? usual.guidance,
    scheduler: settings.scheduler,
  };
}
