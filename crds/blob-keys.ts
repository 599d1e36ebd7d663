/**
 * Where everything lies in blob storage. Keys are derived from ids, so every writer of a thing agrees on its
 * place and a repeated write meets itself. A BlobRef names container and path: `<container>/<path>`.
 */
import type { Export, Stage } from "./stages.ts";

export const CONTAINERS = { raw: "raw", outputs: "outputs", exports: "exports" } as const;

export interface ItemKey {
  readonly tenant: string;
  /** Name of the OpalJob; for jobs of the api it is the job's id. */
  readonly job: string;
  /** The OpalJob's uid: a job deleted and applied again under its old name never meets its old records. */
  readonly uid: string;
  readonly item: string;
}

const folder = ({ tenant, job, uid, item }: ItemKey) => `${tenant}/${job}.${uid.slice(0, 8)}/${item}`;

export interface BlobRef {
  readonly container: string;
  readonly path: string;
}

/** @throws {RangeError} when there is no container or no path. */
export function parseBlobRef(ref: string): BlobRef {
  const slash = ref.indexOf("/");
  if (slash <= 0 || slash === ref.length - 1) throw new RangeError(`not <container>/<path>: "${ref}"`);
  return { container: ref.slice(0, slash), path: ref.slice(slash + 1) };
}

/** The tenant's upload, written once through a SAS URL. `filename` must be safe: see `safeFilename`. */
export function rawRef(upload: { tenant: string; job: string; item: string; filename: string }): string {
  return `${CONTAINERS.raw}/${upload.tenant}/${upload.job}/${upload.item}/${safeFilename(upload.filename)}`;
}

/** Keeps letters, digits, dot, dash and underscore; everything else, also path separators, becomes "_". */
export function safeFilename(filename: string): string {
  const safe = filename
    .replace(/[^A-Za-z0-9._-]/g, "_")
    .replace(/^\.+/, "_")
    .slice(-120);
  return safe === "" ? "_" : safe;
}

/** A stage's picture; its content's SHA-256 in the name lets two writers of different bytes never collide. */
export function stageOutputRef(key: ItemKey, stage: Stage, sha256: string, extension: string): string {
  return `${CONTAINERS.outputs}/${folder(key)}/${stage}-${sha256.slice(0, 16)}.${extension}`;
}

/** A further picture of a stage ("mask", "shadow"). */
export function stageLayerRef(
  key: ItemKey,
  stage: Stage,
  layer: { name: string; sha256: string; extension: string },
): string {
  const { name, sha256, extension } = layer;
  return `${CONTAINERS.outputs}/${folder(key)}/${stage}-${name}-${sha256.slice(0, 16)}.${extension}`;
}

/** How the item was made, in JSON that makes it again. */
export function recipeRef(key: ItemKey): string {
  return `${CONTAINERS.outputs}/${folder(key)}/recipe.json`;
}

/** The create-once record of a finished stage: whoever writes it first has done the stage. */
export function stageRecordRef(key: ItemKey, stage: Stage): string {
  return `${CONTAINERS.outputs}/${folder(key)}/${stage}.json`;
}

/** The create-once verdict of the item, good or bad, as `ItemReport`. */
export function itemReportRef(key: ItemKey): string {
  return `${CONTAINERS.outputs}/${folder(key)}/report.json`;
}

/** A finished picture for a channel, "1:1" as `1x1`. */
export function exportRef(key: ItemKey, name: Export, extension: string): string {
  return `${CONTAINERS.exports}/${folder(key)}/${name.replace(":", "x")}.${extension}`;
}
