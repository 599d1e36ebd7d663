/** What the main thread asks the inference worker to do, and what comes back. Plain data: it crosses threads. */
import type { Brand } from "#crds/brand.ts";
import type { Box } from "#crds/runner-report.ts";
import type { ClassifiedFailure } from "./failure.ts";
import type { SessionSettings } from "./models/sessions.ts";
import type { UpscalerQuality } from "./models/catalogue.ts";
import type { IngestLimits } from "./stages/ingest.ts";
import type { EncodedPicture } from "./stages/picture-codec.ts";
import type { SceneSettings } from "./stages/scene-settings.ts";

export interface WorkerSettings extends SessionSettings, IngestLimits {
  readonly upscalerQuality: UpscalerQuality;
  /** The most pixels of a finished picture. */
  readonly maxFinalPixels: number;
  /** How scenes are painted; without it as the runner's own model does. */
  readonly scenes?: SceneSettings | undefined;
}

export type StageWork =
  | {
      readonly stage: "segment";
      readonly photo: Uint8Array;
      /** 0..100: a cut that scores less is tried again with other settings, once. Without it, 0: never. */
      readonly minScore?: number;
    }
  | {
      readonly stage: "place";
      readonly photo: Uint8Array;
      readonly picture: Uint8Array;
      readonly brand: Brand;
      /** For placement `image`: the picture behind the product, as uploaded. */
      readonly backdrop?: Uint8Array;
      /** The factor by which the scene will be enlarged afterwards. */
      readonly upscale: number;
    }
  | {
      readonly stage: "upscale";
      readonly picture: Uint8Array;
      readonly factor: number;
      /** Side of a tile, as a part of the model's own. */
      readonly tileScale?: number;
      readonly productBox?: Box;
      /** Pixels of the finished longer side beyond which no export uses any. */
      readonly longestSide?: number;
    };

/** A further picture of a stage, such as its shadow alone. */
export interface StageLayer {
  readonly name: string;
  readonly picture: EncodedPicture;
}

export interface StageResult {
  readonly picture: EncodedPicture;
  readonly layers?: readonly StageLayer[] | undefined;
  readonly facts: Record<string, unknown>;
  /** Seconds inside models. */
  readonly gpuSeconds: number;
  /** The most memory that the process held meanwhile, looked at many times a second. Filled in by the engine. */
  readonly peakRssMiB?: number;
}

/** Which models to load before there is work. */
export interface WarmUp {
  readonly segment: boolean;
  /** By which pictures will be upscaled; 1 needs no model. */
  readonly factor: number;
  /** Whether scenes will be painted. */
  readonly scenes?: boolean;
}

export interface WorkRequest {
  readonly id: number;
  readonly work: StageWork;
}

/** `retire`: give the models back and end. */
export type WorkerMessage = WorkRequest | { readonly warm: WarmUp } | { readonly retire: true };

/** How far a scene is painted. */
export interface SceneStep {
  readonly done: number;
  readonly of: number;
}

export type WorkAnswer =
  | { readonly id: number; readonly ok: true; readonly result: StageResult }
  | {
      readonly id: number;
      readonly ok: false;
      readonly failure: ClassifiedFailure;
      readonly stack: string | undefined;
      readonly gpuSeconds: number;
    };
