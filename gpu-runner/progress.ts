import type { ShardProgress } from "#crds/runner-report.ts";

/** Publishes the shard's progress, seldom enough for the API server. */
export interface Progress {
  /** Takes the newest state; older ones that were not yet published are dropped. */
  readonly update: (state: ShardProgress) => void;
  /** Publishes the newest state now and waits for it. Never throws. */
  readonly flush: () => Promise<void>;
}

export interface ProgressSettings {
  readonly publish: (state: ShardProgress) => Promise<void>;
  readonly minIntervalMillis: number;
  /** Called at the first failure of a row; the work goes on without progress. */
  readonly onFailure: (error: unknown) => void;
}

export function createProgress({ publish, minIntervalMillis, onFailure }: ProgressSettings): Progress {
  let newest: ShardProgress | undefined;
  let sending: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let hasFailed = false;

  async function sendNewest(): Promise<void> {
    const state = newest;
    newest = undefined;
    if (!state) return;
    try {
      await publish(state);
      hasFailed = false;
    } catch (error) {
      if (!hasFailed) onFailure(error);
      hasFailed = true;
    }
  }

  function openWindow(): void {
    timer = setTimeout(() => {
      timer = undefined;
      if (newest) send();
    }, minIntervalMillis);
    timer.unref();
  }

  function send(): void {
    openWindow();
    sending = sending.then(sendNewest);
  }

  return {
    update(state) {
      newest = state;
      if (!timer) send();
    },
    async flush() {
      clearTimeout(timer);
      timer = undefined;
      sending = sending.then(sendNewest);
      await sending;
    },
  };
}
