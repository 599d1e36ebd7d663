import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { Failure } from "./failure.ts";
import { isRecyclingDue, rssMiB, watchPeak } from "./memory.ts";
import type {
  SceneStep,
  StageResult,
  StageWork,
  WarmUp,
  WorkAnswer,
  WorkerMessage,
  WorkerSettings,
} from "./stage-work.ts";

/** A stage that failed, with the GPU time that it had used. */
export class StageFailure extends Failure {
  override readonly name = "StageFailure";
  readonly gpuSeconds: number;

  constructor(answer: Extract<WorkAnswer, { ok: false }>) {
    super(answer.failure.class, answer.failure.message, { cause: answer.stack });
    this.gpuSeconds = answer.gpuSeconds;
  }
}

export interface Engine {
  /** @throws {StageFailure | Failure} classified; `out-of-memory` when the worker died of it. */
  run(work: StageWork): Promise<StageResult>;
  /** Loads models ahead of their first need. Never throws. */
  warm(models: WarmUp): void;
  /**
   * Between two items: ends the thread with its models when the process holds more than `highWaterMiB`; the next
   * work starts another. ONNX Runtime never gives all of its memory back otherwise. Tells whether it did.
   */
  recycleAbove(highWaterMiB: number): Promise<boolean>;
  close(): Promise<void>;
}

interface Pending {
  readonly resolve: (result: StageResult) => void;
  readonly reject: (error: Failure) => void;
}

function workerDeath(error: Error): Failure {
  const outOfMemory = "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
  return new Failure(
    outOfMemory ? "out-of-memory" : "unknown",
    `the inference thread ended: ${error.message}`,
    { cause: error },
  );
}

/**
 * Runs stages in a worker thread, started at the first need and again after it died.
 * @param onStep told of each step of a scene that is painted
 */
export function createEngine(settings: WorkerSettings, onStep?: (step: SceneStep) => void): Engine {
  const pending = new Map<number, Pending>();
  let worker: Worker | undefined;
  let lastId = 0;
  let firstMiB: number | undefined;

  function settle(answer: WorkAnswer): void {
    const waiting = pending.get(answer.id);
    pending.delete(answer.id);
    if (answer.ok) waiting?.resolve(answer.result);
    else waiting?.reject(new StageFailure(answer));
  }

  function abandon(dead: Worker, failure: Failure): void {
    if (worker !== dead) return;
    worker = undefined;
    for (const { reject } of pending.values()) reject(failure);
    pending.clear();
  }

  function start(): Worker {
    const started = new Worker(new URL("./inference-worker.ts", import.meta.url), { workerData: settings });
    started.on("message", (message: WorkAnswer | SceneStep) => {
      if ("of" in message) onStep?.(message);
      else settle(message);
    });
    started.on("error", (error: Error) => {
      abandon(started, workerDeath(error));
    });
    started.on("exit", (code) => {
      abandon(started, new Failure("unknown", `the inference thread ended with code ${code}`));
    });
    return started;
  }

  function send(message: WorkerMessage): void {
    worker ??= start();
    worker.postMessage(message);
  }

  /** Takes the thread out of service: nobody is told of its end. */
  function takeOut(): Worker | undefined {
    const taken = worker;
    worker = undefined;
    return taken;
  }

  async function retire(): Promise<void> {
    const retiring = takeOut();
    if (!retiring) return;
    // However it ends, its memory is gone: a model that does not close is no reason to stop the shard.
    const ended = once(retiring, "exit").catch(() => undefined);
    retiring.postMessage({ retire: true } satisfies WorkerMessage);
    await ended;
  }

  return {
    async run(work) {
      const id = ++lastId;
      const answer = new Promise<StageResult>((resolve, reject) => pending.set(id, { resolve, reject }));
      send({ id, work });
      const peak = watchPeak();
      try {
        return { ...(await answer), peakRssMiB: peak.stop() };
      } finally {
        peak.stop();
      }
    },
    warm(models) {
      send({ warm: models });
    },
    async recycleAbove(highWaterMiB) {
      const held = rssMiB();
      firstMiB ??= held;
      if (pending.size > 0 || !isRecyclingDue(held, { highWaterMiB, firstMiB })) return false;
      await retire();
      firstMiB = undefined;
      return true;
    },
    async close() {
      await takeOut()?.terminate();
    },
  };
}
