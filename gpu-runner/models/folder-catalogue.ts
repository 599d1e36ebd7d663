/**
 * Models that are whole folders: Stable Diffusion as ONNX, in the layout of diffusers or of optimum. None comes with
 * OPAL; `npm run models -- pull` brings one from where its files are. The authors publish PyTorch's weights mostly:
 * an export to ONNX has hashes of its own, so none is stated here that could not be checked, and whoever pulls one
 * pins what was got (the folder's lock).
 */
import * as z from "zod";

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const FolderFile = z.object({
  path: z.string().regex(/^[\w.-]+(?:\/[\w.-]+)*$/),
  /** Others are taken where the source has them. */
  required: z.boolean(),
  /** Where one is known for certain. */
  sha256: Sha256.optional(),
});
export type FolderFile = z.infer<typeof FolderFile>;

const FolderEntry = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  licence: z.string().min(1),
  /** Who publishes the weights. */
  source: z.url(),
  /** What the licence obliges the operator of the platform to. */
  obligations: z.string().min(1),
  trainingData: z.string().min(1),
  /** "needs-decision": usable here, but somebody must decide before it earns money. */
  commercial: z.enum(["yes", "needs-decision"]),
  files: z.array(FolderFile).min(1),
});
export type FolderEntry = z.infer<typeof FolderEntry>;

const required = (path: string): FolderFile => ({ path, required: true });
const optional = (path: string): FolderFile => ({ path, required: false });

const tokenizer = (folder: string): FolderFile[] => [
  required(`${folder}/vocab.json`),
  required(`${folder}/merges.txt`),
  optional(`${folder}/tokenizer_config.json`),
  optional(`${folder}/special_tokens_map.json`),
];

/** Names under which exporters keep weights that are too large for one file. */
export const OUTSIDE_WEIGHTS: readonly string[] = ["weights.pb", "model.onnx_data", "model.onnx.data"];

const network = (folder: string, isRequired = true): FolderFile[] => [
  { path: `${folder}/model.onnx`, required: isRequired },
  optional(`${folder}/config.json`),
  ...OUTSIDE_WEIGHTS.map((name) => optional(`${folder}/${name}`)),
];

interface Parts {
  /** SDXL has two. */
  readonly texts: 1 | 2;
  /** Needed for pictures to begin with, so for inpainting. */
  readonly needsEncoder: boolean;
}

function filesOf({ texts, needsEncoder }: Parts): FolderFile[] {
  const second = texts === 2 ? [...tokenizer("tokenizer_2"), ...network("text_encoder_2")] : [];
  return [
    required("model_index.json"),
    required("scheduler/scheduler_config.json"),
    ...tokenizer("tokenizer"),
    ...network("text_encoder"),
    ...second,
    ...network("unet"),
    ...network("vae_decoder"),
    ...network("vae_encoder", needsEncoder),
    ...network("safety_checker", false),
  ];
}

const PASS_ON =
  "Pass the use restrictions of the licence's Attachment A on to your users in your terms, and the licence with the weights.";
const openRail = { licence: "CreativeML-OpenRAIL-M", obligations: PASS_ON, commercial: "yes" } as const;
const openRailPlus = { licence: "CreativeML-OpenRAIL++-M", obligations: PASS_ON, commercial: "yes" } as const;
const LAION = "Pictures from the web by way of LAION; their rights were not cleared one by one.";

/** @throws {z.ZodError} naming the entry and the statement that it lacks. */
export const FOLDER_CATALOGUE: readonly FolderEntry[] = z.array(FolderEntry).parse([
  {
    name: "stable-diffusion-1.5",
    ...openRail,
    source: "https://huggingface.co/stable-diffusion-v1-5/stable-diffusion-v1-5",
    trainingData: `LAION-2B (en) and LAION-Aesthetics v2 5+. ${LAION}`,
    files: filesOf({ texts: 1, needsEncoder: false }),
  },
  {
    name: "stable-diffusion-1.5-inpainting",
    ...openRail,
    source: "https://huggingface.co/stable-diffusion-v1-5/stable-diffusion-inpainting",
    trainingData: `LAION-2B (en) and LAION-Aesthetics v2 5+. ${LAION}`,
    files: filesOf({ texts: 1, needsEncoder: true }),
  },
  {
    name: "stable-diffusion-2-inpainting",
    ...openRailPlus,
    source: "https://huggingface.co/stabilityai/stable-diffusion-2-inpainting",
    trainingData: `LAION-5B, filtered. ${LAION}`,
    files: filesOf({ texts: 1, needsEncoder: true }),
  },
  {
    name: "sd-turbo",
    licence: "Stability AI Community License",
    source: "https://huggingface.co/stabilityai/sd-turbo",
    obligations:
      "Free below USD 1 million of yearly revenue, else an enterprise licence; register, keep the notice and say that Stability AI powers it.",
    trainingData: `Distilled from Stable Diffusion 2.1. ${LAION}`,
    commercial: "needs-decision",
    files: filesOf({ texts: 1, needsEncoder: false }),
  },
  {
    name: "stable-diffusion-xl-base-1.0",
    ...openRailPlus,
    source: "https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0",
    trainingData: "Not published by its authors.",
    files: filesOf({ texts: 2, needsEncoder: false }),
  },
  {
    name: "stable-diffusion-xl-inpainting-0.1",
    ...openRailPlus,
    source: "https://huggingface.co/diffusers/stable-diffusion-xl-1.0-inpainting-0.1",
    trainingData: "Not published by its authors.",
    files: filesOf({ texts: 2, needsEncoder: true }),
  },
]);
