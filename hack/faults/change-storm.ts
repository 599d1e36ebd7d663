import type { ApiClient } from "../../operator/runtime/api-client.ts";
import { isServerTrouble, isStatus } from "../../operator/runtime/errors.ts";
import { configMapsIn, parentManifest } from "./family.ts";

/** Somebody who keeps changing parents, straight at the API server and as fast as it goes. */
export interface ChangeStorm {
  /** Changes that the API server has confirmed. */
  readonly changes: number;
  resume(): void;
  /** Resolves when nothing is on its way any more. */
  pause(): Promise<void>;
}

export interface ChangeStormSettings {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly parents: number;
  /** Changes at the same time. */
  readonly hands: number;
  readonly random: () => number;
}

const DELETED_SHARE = 0.04;

export function createChangeStorm(settings: ChangeStormSettings): ChangeStorm {
  const { client, namespace, parents, hands, random } = settings;
  const configMaps = configMapsIn(namespace);
  let changes = 0;
  let calm = AbortSignal.abort();
  let calmDown = () => {};
  let working: Promise<unknown> = Promise.resolve();

  async function changeOne(): Promise<void> {
    const name = `parent-${Math.floor(random() * parents)}`;
    const value = String(changes);
    if (random() < DELETED_SHARE) return client.delete(configMaps, name);
    try {
      await client.patch(configMaps, name, { data: { value } });
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
      await client.create(configMaps, parentManifest(name, value));
    }
  }

  async function hand(calm: AbortSignal): Promise<void> {
    while (!calm.aborted) {
      try {
        await changeOne();
        changes++;
      } catch (error) {
        // Two hands at one parent, or the API server itself is being restarted.
        if (!isExpected(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  return {
    get changes() {
      return changes;
    },
    resume() {
      if (!calm.aborted) return;
      const controller = new AbortController();
      calm = controller.signal;
      calmDown = () => controller.abort();
      working = Promise.all(Array.from({ length: hands }, () => hand(controller.signal)));
    },
    async pause() {
      calmDown();
      await working;
    },
  };
}

function isExpected(error: unknown): boolean {
  return isServerTrouble(error) || isStatus(error, 404) || isStatus(error, 409);
}
