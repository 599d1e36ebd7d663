import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../failure.ts";
import type { ModelEntry } from "./catalogue.ts";
import { sha256OfFile } from "./file-hash.ts";

/** A model that the runner needs is not in its folder, or its content is not the catalogue's. */
export class ModelMissing extends Failure {
  override readonly name = "ModelMissing";

  constructor(model: ModelEntry, path: string, options?: ErrorOptions) {
    super(
      "model",
      `model ${model.name} is missing, damaged or does not load at ${path}: fetch the models again`,
      options,
    );
  }
}

/** Named by its content too, so that versions of a model live side by side. */
export function modelPath(dir: string, model: ModelEntry): string {
  return join(dir, `${model.name}-${model.sha256.slice(0, 12)}.onnx`);
}

/**
 * Whether the model's file is there and its SHA-256 is the catalogue's. The answer for a file of a given size
 * and time of change is remembered beside it, so that a start does not read 88 MB again.
 */
export async function isVerified(dir: string, model: ModelEntry): Promise<boolean> {
  const path = modelPath(dir, model);
  const found = await stat(path).catch(() => undefined);
  if (found?.size !== model.bytes) return false;
  const mark = `${model.sha256} ${found.size} ${found.mtimeMs}`;
  const remembered = await readFile(`${path}.verified`, "utf8").catch(() => "");
  if (remembered === mark) return true;
  if ((await sha256OfFile(path)) !== model.sha256) return false;
  await remember(path, mark);
  return true;
}

/** A folder mounted read-only cannot remember: it is then checked at every start, which is only slower. */
async function remember(path: string, mark: string): Promise<void> {
  const aside = `${path}.verified.${process.pid}`;
  await writeFile(aside, mark)
    .then(() => rename(aside, `${path}.verified`))
    .catch(() => undefined);
}

/** The path of a verified model. @throws {ModelMissing} */
export async function openModel(dir: string, model: ModelEntry): Promise<string> {
  if (!(await isVerified(dir, model))) throw new ModelMissing(model, modelPath(dir, model));
  return modelPath(dir, model);
}
