import type { BlobStore } from "./blobs.ts";
import { Failure } from "./failure.ts";

/** The photos of a shard, the next one on its way while a model still works on this one. */
export interface Photos {
  /** @throws {Failure} `missing-input`, `bad-input` when it is too large, `storage`. */
  readonly read: (source: string) => Promise<Uint8Array>;
  /** Begins to read a photo; of several, only the last is kept. Never throws. */
  readonly prefetch: (source: string) => void;
}

export function createPhotos(blobs: BlobStore, maxBytes: number): Photos {
  let next: { readonly source: string; readonly bytes: Promise<Uint8Array> } | undefined;

  async function load(source: string): Promise<Uint8Array> {
    const bytes = await blobs.read(source, maxBytes);
    if (!bytes) throw new Failure("missing-input", `there is no upload at ${source}`);
    return bytes;
  }

  return {
    read(source) {
      const found = next?.source === source ? next.bytes : undefined;
      next = undefined;
      // What failed a while ago is asked for again: an upload may have come since.
      return found ? found.catch(() => load(source)) : load(source);
    },
    prefetch(source) {
      if (next?.source === source) return;
      const bytes = load(source);
      bytes.catch(() => undefined);
      next = { source, bytes };
    },
  };
}
