import type { BlobStore } from "../azure/blob.ts";
import type { JobStore } from "../store/jobs.ts";
import type { UploadStore } from "../store/uploads.ts";

/** What the routes work with. */
export interface RouteDeps {
  readonly jobs: JobStore;
  readonly uploads: UploadStore;
  readonly blobs: Pick<BlobStore, "uploadUrl" | "readUrl" | "head">;
  readonly now: () => Date;
  readonly newId: () => string;
  readonly limits: Limits;
}

export interface Limits {
  readonly maxItemsPerJob: number;
  readonly maxUploadBytes: number;
  readonly uploadUrlSeconds: number;
  readonly uploadWindowSeconds: number;
  readonly readUrlSeconds: number;
}

export function secondsFrom(start: Date, seconds: number): Date {
  return new Date(start.getTime() + seconds * 1000);
}
