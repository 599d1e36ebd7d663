import { describe, expect, it } from "vitest";
import { createPhotos } from "./photos.ts";
import { memoryBlobs } from "./testing.ts";

function aShelf() {
  const blobs = memoryBlobs();
  const reads: string[] = [];
  const read: typeof blobs.read = (ref, maxBytes) => {
    reads.push(ref);
    return blobs.read(ref, maxBytes);
  };
  return { blobs, reads, photos: createPhotos({ ...blobs, read }, 1000) };
}

describe("createPhotos", () => {
  it("reads a prefetched photo once", async () => {
    const { blobs, reads, photos } = aShelf();
    blobs.stored.set("raw/a", Uint8Array.of(1));
    photos.prefetch("raw/a");
    photos.prefetch("raw/a");
    expect(await photos.read("raw/a")).toEqual(Uint8Array.of(1));
    expect(reads).toEqual(["raw/a"]);
  });

  it("reads another photo than the prefetched one", async () => {
    const { blobs, photos } = aShelf();
    blobs.stored.set("raw/a", Uint8Array.of(1)).set("raw/b", Uint8Array.of(2));
    photos.prefetch("raw/a");
    expect(await photos.read("raw/b")).toEqual(Uint8Array.of(2));
  });

  it("asks again for what failed ahead of time", async () => {
    const { blobs, photos } = aShelf();
    photos.prefetch("raw/late");
    await Promise.resolve();
    blobs.stored.set("raw/late", Uint8Array.of(3));
    expect(await photos.read("raw/late")).toEqual(Uint8Array.of(3));
  });

  it("says where there is no upload", async () => {
    await expect(aShelf().photos.read("raw/none")).rejects.toMatchObject({
      class: "missing-input",
      message: "there is no upload at raw/none",
    });
  });
});
