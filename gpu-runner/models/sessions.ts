import { type InferenceSession, Tensor } from "onnxruntime-node";
import { BadModelFolder } from "../diffusion/model-folder.ts";
import { createSession, type Edit, type OnnxPart, partOf } from "../diffusion/onnx-part.ts";
import { isOutOfMemory } from "../failure.ts";
import type { ModelEntry } from "./catalogue.ts";
import { withLinearLayersJoined } from "./join-linear-layers.ts";
import { ModelMissing, modelPath, openModel } from "./load.ts";
import { inWholeFloats } from "./whole-floats.ts";

export interface SessionSettings {
  readonly modelsDir: string;
  readonly provider: "cpu" | "cuda";
  /** Threads of one operator; the pod's CPU quota, not the host's cores. */
  readonly intraOpThreads: number;
}

export interface ModelInput {
  readonly data: Float32Array;
  readonly dims: readonly number[];
  /** The only output that is fetched: the binding would copy all of them. */
  readonly output: string;
}

/** @param takesTiles or latents: each run needs the memory that the last one had, and it is not much. */
function sessionOptions(
  { provider, intraOpThreads }: SessionSettings,
  takesTiles: boolean,
): InferenceSession.SessionOptions {
  return {
    executionProviders: [provider],
    graphOptimizationLevel: "all",
    executionMode: "sequential",
    intraOpNumThreads: intraOpThreads,
    // Memory patterns cost IS-Net 860 MB on the CPU and gain it no time; networks whose inputs are small gain 3 %.
    enableMemPattern: provider !== "cpu" || takesTiles,
    // Threads that wait for the next operator spin, 3 to 6 % faster, but not between runs: the cores are shared.
    extra: { session: { intra_op: { allow_spinning: "1" }, force_spinning_stop: "1" } },
    logSeverityLevel: 3,
  };
}

/** What makes a model quicker on a CPU; weighed on no GPU. */
function editFor({ task, recipe }: ModelEntry): Edit | undefined {
  if (recipe.make === "isnet") return inWholeFloats;
  // Of ESRGAN's networks the layers of the fast one bend seldom. Joined chains of others are longer than what they replace.
  const bendsSeldom = recipe.make === "esrgan" && task.kind === "upscale" && task.qualities.includes("fast");
  return bendsSeldom ? withLinearLayersJoined : undefined;
}

interface Opened {
  readonly session: InferenceSession;
  readonly part: OnnxPart;
}

/**
 * Sessions of models, made at their first use and kept: ONNX Runtime never gives all of a session's memory
 * back. Not for the main thread, which one run would block for seconds.
 */
export class ModelSessions {
  readonly #settings: SessionSettings;
  /** By the SHA-256 of the file: two versions of a model may have one name. */
  readonly #sessions = new Map<string, Promise<InferenceSession>>();
  /** Networks of model folders, by their paths. */
  readonly #parts = new Map<string, Promise<Opened>>();
  #busySeconds = 0;

  constructor(settings: SessionSettings) {
    this.#settings = settings;
  }

  get provider(): SessionSettings["provider"] {
    return this.#settings.provider;
  }

  /** Seconds spent inside models so far, loading not counted. */
  get busySeconds(): number {
    return this.#busySeconds;
  }

  async #open(model: ModelEntry): Promise<InferenceSession> {
    const path = await openModel(this.#settings.modelsDir, model);
    try {
      const options = sessionOptions(this.#settings, model.task.kind !== "segment");
      return await createSession(
        path,
        this.#settings.provider === "cpu" ? editFor(model) : undefined,
        options,
      );
    } catch (cause) {
      if (isOutOfMemory(cause)) throw cause;
      throw new ModelMissing(model, modelPath(this.#settings.modelsDir, model), { cause });
    }
  }

  /** Loads the model unless it is loaded. @throws {ModelMissing} */
  load(model: ModelEntry): Promise<InferenceSession> {
    let session = this.#sessions.get(model.sha256);
    if (!session) {
      session = this.#open(model);
      this.#sessions.set(model.sha256, session);
      session.catch(() => this.#sessions.delete(model.sha256));
    }
    return session;
  }

  async #openPart(path: string, edit: Edit | undefined): Promise<Opened> {
    try {
      const session = await createSession(path, edit, sessionOptions(this.#settings, true));
      const part = partOf(session, (seconds) => {
        this.#busySeconds += seconds;
      });
      return { session, part };
    } catch (cause) {
      if (isOutOfMemory(cause)) throw cause;
      throw new BadModelFolder(`${path} does not load: its file or its weights' is damaged`, { cause });
    }
  }

  /** A network of a model folder, opened unless it is open. @throws {BadModelFolder} */
  async part(path: string, edit?: Edit): Promise<OnnxPart> {
    let opened = this.#parts.get(path);
    if (!opened) {
      opened = this.#openPart(path, edit);
      this.#parts.set(path, opened);
      opened.catch(() => this.#parts.delete(path));
    }
    return (await opened).part;
  }

  /** Gives the models' memory back; what is needed again is loaded again. */
  async release(): Promise<void> {
    const sessions = [...this.#parts.values()].map(async (opened) => (await opened).session);
    const opened = await Promise.allSettled([...this.#sessions.values(), ...sessions]);
    this.#sessions.clear();
    this.#parts.clear();
    for (const session of opened) if (session.status === "fulfilled") await session.value.release();
  }

  /** Runs a model that has one input. @throws {ModelMissing} */
  async run(model: ModelEntry, { data, dims, output }: ModelInput): Promise<Float32Array> {
    const session = await this.load(model);
    const [input] = session.inputNames;
    if (input === undefined) throw new TypeError(`model ${model.name} has no input`);
    const started = performance.now();
    try {
      const results = await session.run({ [input]: new Tensor("float32", data, dims) }, [output]);
      const values = results[output]?.data;
      if (!(values instanceof Float32Array)) throw new TypeError(`model ${model.name} gave no floats`);
      return values;
    } finally {
      this.#busySeconds += (performance.now() - started) / 1000;
    }
  }
}
