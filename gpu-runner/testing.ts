/** What the runner's tests are made of: a real blob server, real runner processes, small manifests. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BlobServiceClient } from "@azure/storage-blob";
import { CONTAINERS } from "#crds/blob-keys.ts";
import { type Brand, Brand as BrandSchema } from "#crds/brand.ts";
import { ItemReport, manifestKey, ShardManifest, ShardVerdict } from "#crds/runner-report.ts";
import type { BlobStore } from "./blobs.ts";
import { createEngine } from "./engine.ts";
import { Failure } from "./failure.ts";
import { DEFAULT_MODELS } from "./models/catalogue.ts";
import { ensureModels } from "./models/fetch.ts";
import { type Machine, type Recipe, render } from "./recipe.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const PATIENCE_MILLIS = 100_000;

/** Asks again and again until there is an answer. @throws {Error} when there is none in time. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MILLIS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** The public account of every Azurite. */
const ACCOUNT = "devstoreaccount1";
const KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

export interface TestStorage extends AsyncDisposable {
  readonly service: BlobServiceClient;
  readonly connectionString: string;
  put(ref: string, bytes: Uint8Array): Promise<void>;
  get(ref: string): Promise<Buffer | undefined>;
  list(container: string): Promise<string[]>;
}

/** A fresh Azurite with the three containers; its end ends it. */
export async function startStorage(): Promise<TestStorage> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}/${ACCOUNT}`;
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY};BlobEndpoint=${endpoint};`;
  const flags = [
    "--blobPort",
    `${port}`,
    "--inMemoryPersistence",
    "--silent",
    "--skipApiVersionCheck",
    "--disableTelemetry",
  ];
  const azurite = spawn(process.execPath, [here("../node_modules/azurite/dist/src/blob/main.js"), ...flags], {
    stdio: "ignore",
  });
  const service = BlobServiceClient.fromConnectionString(connectionString, { retryOptions: { maxTries: 1 } });
  await eventually("Azurite", () =>
    service.getProperties().then(
      () => true,
      () => undefined,
    ),
  );
  for (const name of Object.values(CONTAINERS)) await service.createContainer(name);
  const blob = (ref: string) => {
    const slash = ref.indexOf("/");
    return service.getContainerClient(ref.slice(0, slash)).getBlockBlobClient(ref.slice(slash + 1));
  };
  return {
    service,
    connectionString,
    put: async (ref, bytes) => {
      await blob(ref).upload(Buffer.from(bytes), bytes.length);
    },
    get: (ref) =>
      blob(ref)
        .downloadToBuffer()
        .catch(() => undefined),
    list: async (container) => {
      const names: string[] = [];
      for await (const { name } of service.getContainerClient(container).listBlobsFlat()) names.push(name);
      return names;
    },
    [Symbol.asyncDispose]: () => stopProcess(azurite, "SIGTERM"),
  };
}

async function stopProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, "exit");
}

let modelsDir: Promise<string> | undefined;

/** The folder of the models, fetched once into the cache. */
export function testModels(): Promise<string> {
  return (modelsDir ??= (async () => {
    const cache =
      process.env["OPAL_CACHE"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "opal");
    const dir = join(cache, "models");
    await ensureModels({ dir, models: DEFAULT_MODELS });
    return dir;
  })());
}

/** The same folder, linked, with one of the engine's tiny models beside them under the name "tiny". */
export async function modelsWithTiny(): Promise<string> {
  const [dir, models] = [await mkdtemp(join(tmpdir(), "opal-models-")), await testModels()];
  const files = (await readdir(models)).filter((name) => name.endsWith(".onnx"));
  for (const name of files) await symlink(join(models, name), join(dir, name));
  await symlink(here("diffusion/goldens/models/sd2-v"), join(dir, "tiny"));
  return dir;
}

export function photoBytes(name: "bottle" | "coffee" | "dahlia"): Promise<Buffer> {
  return readFile(here(`../hack/photos/photos/${name}.jpg`));
}

export interface TestShard {
  readonly items: readonly { readonly id: string; readonly source: string }[];
  readonly brand?: Partial<Brand>;
  readonly stages?: readonly string[];
}

export function aManifest({
  items,
  brand = {},
  stages = ["segment", "place", "upscale"],
}: TestShard): ShardManifest {
  return ShardManifest.parse({
    v: 1,
    job: "spring",
    namespace: "default",
    uid: "0f8fad5b-d9cb-469f-a165-70867728950e",
    tenant: "acme",
    attempt: 1,
    shard: 0,
    correlationId: "test-correlation",
    brand: BrandSchema.parse(brand),
    stages,
    items: items.map((item, index) => ({ ...item, index })),
  });
}

interface RunnerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly verdict: ShardVerdict | undefined;
  readonly logs: readonly Record<string, unknown>[];
  readonly stderr: string;
}

export interface RunnerProcess {
  /** Resolves once it has logged this message. */
  readonly logged: (message: string) => Promise<true>;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly end: Promise<RunnerEnd>;
}

/** Starts a runner process on a manifest, as its pod would. */
export async function startRunner(
  storage: TestStorage,
  manifest: ShardManifest,
  pod: { readonly name: string; readonly env?: Readonly<Record<string, string>> },
): Promise<RunnerProcess> {
  const dir = await mkdtemp(join(tmpdir(), "opal-runner-"));
  await writeFile(join(dir, manifestKey(manifest.shard)), JSON.stringify(manifest));
  await writeFile(join(dir, "blob"), storage.connectionString);
  const terminationLog = join(dir, "termination-log");
  const child = spawn(process.execPath, [here("main.ts")], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      OPAL_MANIFEST_DIR: dir,
      JOB_COMPLETION_INDEX: `${manifest.shard}`,
      POD_NAME: pod.name,
      POD_NAMESPACE: "default",
      OPAL_MODELS_DIR: await testModels(),
      OPAL_BLOB_CONNECTION_STRING_FILE: join(dir, "blob"),
      OPAL_EXECUTION_PROVIDER: "cpu",
      OPAL_TERMINATION_LOG: terminationLog,
      ...pod.env,
    },
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
  const end = (async (): Promise<RunnerEnd> => {
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    const written = await readFile(terminationLog, "utf8").catch(() => undefined);
    await rm(dir, { recursive: true, force: true });
    const lines = output.stdout.split("\n").filter((line) => line !== "");
    return {
      code,
      signal,
      verdict: written === undefined ? undefined : ShardVerdict.parse(JSON.parse(written)),
      logs: lines.map((line) => JSON.parse(line) as Record<string, unknown>),
      stderr: output.stderr,
    };
  })();
  const logged = (message: string) =>
    eventually(`the runner's word "${message}"`, () =>
      Promise.resolve(output.stdout.includes(`"msg":"${message}"`) || undefined),
    );
  return { kill: (signal) => child.kill(signal), logged, end };
}

export async function readReport(storage: TestStorage, ref: string): Promise<ItemReport | undefined> {
  const bytes = await storage.get(ref);
  return bytes && ItemReport.parse(JSON.parse(bytes.toString()));
}

/** Settings and versions as a recipe states them. */
export const A_MACHINE: Machine = {
  runnerVersion: "1.2.3",
  versions: { node: "v24.0.0" },
  platform: "linux-x64",
  provider: "cpu",
  intraOpThreads: 2,
  upscalerQuality: "fast",
  maxSourceMegapixels: 100,
  workingPixels: 2048,
  maxFinalPixels: 12e6,
};

/** Blobs in memory, create-once as the real ones; `blobs.real.test.ts` runs one suite on both. */
export function memoryBlobs(): BlobStore & { readonly stored: Map<string, Uint8Array> } {
  const stored = new Map<string, Uint8Array>();
  return {
    stored,
    read: (ref, maxBytes) => {
      const bytes = stored.get(ref);
      if (bytes && bytes.length > maxBytes) return Promise.reject(new Failure("bad-input", "too large"));
      return Promise.resolve(bytes);
    },
    create: (ref, bytes) => {
      if (stored.has(ref)) return Promise.resolve("exists");
      stored.set(ref, bytes);
      return Promise.resolve("created");
    },
  };
}

/** What a recipe makes of a photo on this machine, and the SHA-256 of each stage's picture in their order. */
export async function renderAgain(recipe: Recipe, photo: Uint8Array, modelsDir: string) {
  const engine = createEngine({ ...recipe.machine, modelsDir });
  try {
    const made = await render(recipe, { photo, run: (work) => engine.run(work) });
    const hashes = [...made].map(([stage, { picture }]) => ({
      stage,
      sha256: createHash("sha256").update(picture.bytes).digest("hex"),
    }));
    return { made, hashes };
  } finally {
    await engine.close();
  }
}
