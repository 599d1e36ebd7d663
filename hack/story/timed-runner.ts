/**
 * A runner that only lets time pass: every stage of a picture takes a third of the seconds that it is told. It keeps
 * the real one's promises, because the operator reckons with them: create-once records of finished stages, progress
 * in the pod's annotation, and after SIGTERM the end of the stage in hand and nothing more.
 */
import { access, mkdir, writeFile } from "node:fs/promises";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { EXIT_CODES } from "#crds/exit-codes.ts";
import { formatRanges, parseRanges } from "#crds/item-ranges.ts";
import { encodeVerdict, type ShardManifest, type ShardVerdict } from "#crds/runner-report.ts";
import { readManifest } from "../../gpu-runner/manifest.ts";
import { annotateProgress } from "../../gpu-runner/pod-annotation.ts";
import { createProgress } from "../../gpu-runner/progress.ts";

const PROGRESS_MILLISECONDS = 500;

const env = z
  .object({
    OPAL_MANIFEST_DIR: z.string(),
    OPAL_SERVICE_ACCOUNT_DIR: z.string(),
    OPAL_TERMINATION_LOG: z.string(),
    JOB_COMPLETION_INDEX: z.coerce.number(),
    POD_NAME: z.string(),
    POD_NAMESPACE: z.string(),
    KUBERNETES_SERVICE_HOST: z.string(),
    KUBERNETES_SERVICE_PORT: z.coerce.number(),
    SECONDS_PER_PICTURE: z.coerce.number(),
    /** Stands for blob storage. */
    RECORDS_DIR: z.string(),
  })
  .parse(process.env);

interface Picture {
  readonly manifest: ShardManifest;
  readonly index: number;
  /** By which progress and verdict name it. */
  readonly slot: number;
}

const parts = await readManifest(env.OPAL_MANIFEST_DIR, env.JOB_COMPLETION_INDEX);
const pictures = parts.flatMap(picturesIn);
const isShared = parts.length > 1;
const recordsOf = ({ uid }: ShardManifest) => join(env.RECORDS_DIR, uid);
for (const manifest of parts) await mkdir(recordsOf(manifest), { recursive: true });

let isDraining = false;
process.on("SIGTERM", () => (isDraining = true));
const progress = createProgress({
  publish: (state) =>
    annotateProgress(
      {
        apiServer: { host: env.KUBERNETES_SERVICE_HOST, port: env.KUBERNETES_SERVICE_PORT },
        serviceAccountDir: env.OPAL_SERVICE_ACCOUNT_DIR,
        pod: { name: env.POD_NAME, namespace: env.POD_NAMESPACE },
      },
      state,
    ),
  minIntervalMillis: PROGRESS_MILLISECONDS,
  onFailure: (error) => console.error(error),
});

const coldStartSeconds = performance.now() / 1000;
const done: number[] = [];
const turns: [number, number][] = [];
const stages = { segment: 0, place: 0, upscale: 0 };
let gpuSeconds = 0;

for (const picture of pictures) if (!(await finish(picture))) break;
await progress.flush();
const isDone = done.length === pictures.length;
writeFileSync(env.OPAL_TERMINATION_LOG, encodeVerdict(verdict()));
process.exit(isDone ? EXIT_CODES.done : EXIT_CODES.drained);

/** False when the pod was told to go before the picture was finished. */
async function finish({ manifest, index, slot }: Picture): Promise<boolean> {
  const stageSeconds = env.SECONDS_PER_PICTURE / manifest.stages.length;
  let isFound = true;
  for (const stage of manifest.stages) {
    if (isDraining) return false;
    const record = join(recordsOf(manifest), `${index}-${stage}`);
    if (await isNew(record, stageSeconds)) {
      isFound = false;
      console.log(JSON.stringify({ index, stage, seconds: stageSeconds }));
    }
    stages[stage]++;
    tell();
  }
  done.push(slot);
  if (!isFound) turns.push([slot, performance.now() / 1000]);
  tell();
  return true;
}

function picturesIn(manifest: ShardManifest): Picture[] {
  const { items, itemsFrom } = manifest;
  if (itemsFrom) return parseRanges(itemsFrom.indexes).map((index) => ({ manifest, index, slot: index }));
  return items.map(({ index, slot = index }) => ({ manifest, index, slot }));
}

function tell(): void {
  progress.update({
    v: 1,
    done: formatRanges(done),
    failed: "",
    stages: { ...stages },
    gpuSeconds,
    ...(isShared && { turns: [...turns] }),
  });
}

/** Spends the stage's time and records it, unless an earlier pod has. */
async function isNew(record: string, stageSeconds: number): Promise<boolean> {
  if (await exists(record)) return false;
  await sleep(stageSeconds * 1000);
  gpuSeconds += stageSeconds;
  await writeFile(record, env.POD_NAME, { flag: "wx" });
  return true;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function verdict(): ShardVerdict {
  return {
    v: 1,
    done: formatRanges(done),
    failed: [],
    stages,
    gpuSeconds,
    coldStartSeconds,
    wastedGpuSeconds: 0,
    ...(isShared && { turns }),
  };
}
