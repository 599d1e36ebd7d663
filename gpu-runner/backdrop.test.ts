import { describe, expect, it } from "vitest";
import { isOwnUpload, readBackdrop } from "./backdrop.ts";
import { aManifest, memoryBlobs } from "./testing.ts";

describe("isOwnUpload", () => {
  it.each([
    { ref: "raw/acme/brand/wall.jpg", own: true },
    { ref: "raw/acme/wall.jpg", own: true },
    { ref: "raw/other/wall.jpg", own: false },
    { ref: "raw/acme-two/wall.jpg", own: false },
    { ref: "outputs/acme/job/item/place.png", own: false },
    { ref: "raw/acme/../other/wall.jpg", own: false },
    { ref: "raw/acme/./wall.jpg", own: false },
    { ref: "raw/acme//wall.jpg", own: false },
    { ref: "raw/acme/..\\other\\wall.jpg", own: false },
    { ref: "raw/acme", own: false },
  ])("$ref: $own", ({ ref, own }) => {
    expect(isOwnUpload(ref, "acme")).toBe(own);
  });
});

describe("readBackdrop", () => {
  const manifest = (brand: object) => aManifest({ items: [], brand });

  it("reads the tenant's picture for placement image alone", async () => {
    const blobs = memoryBlobs();
    blobs.stored.set("raw/acme/wall.jpg", new Uint8Array([1, 2]));
    const image = manifest({ placement: "image", image: "raw/acme/wall.jpg" });
    expect(await readBackdrop(blobs, image, 100)).toEqual(new Uint8Array([1, 2]));
    expect(await readBackdrop(blobs, manifest({ placement: "studio" }), 100)).toBeUndefined();
  });

  it.each(["raw/other/wall.jpg", "raw/acme/missing.jpg"])("fails as config for %s", async (image) => {
    const blobs = memoryBlobs();
    blobs.stored.set("raw/other/wall.jpg", new Uint8Array([1]));
    await expect(readBackdrop(blobs, manifest({ placement: "image", image }), 100)).rejects.toMatchObject({
      class: "config",
    });
  });
});
