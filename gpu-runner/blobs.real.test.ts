import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BlobStore, createBlobStore } from "./blobs.ts";
import { freePort, memoryBlobs, startStorage, type TestStorage } from "./testing.ts";

let storage: TestStorage;
beforeAll(async () => {
  storage = await startStorage();
});
afterAll(() => storage[Symbol.asyncDispose]());

const bytes = (text: string) => new TextEncoder().encode(text);

describe.each([
  { name: "Azure's blob server", open: (): BlobStore => createBlobStore(storage.service) },
  { name: "the store of the fast tests", open: (): BlobStore => memoryBlobs() },
])("$name", ({ open }) => {
  let store: BlobStore;
  beforeAll(() => {
    store = open();
  });

  it("writes a blob once: the second writer learns that it came late", async () => {
    expect(await store.create("outputs/contract/a.json", bytes("first"), "application/json")).toBe("created");
    expect(await store.create("outputs/contract/a.json", bytes("second"), "application/json")).toBe("exists");
    expect(await store.read("outputs/contract/a.json", 100)).toEqual(bytes("first"));
  });

  it("lets one of many writers win", async () => {
    const writers = Array.from({ length: 8 }, (_, i) =>
      store.create("outputs/contract/race", bytes(`${i}`), "text/plain"),
    );
    const results = await Promise.all(writers);
    expect(results.filter((result) => result === "created")).toHaveLength(1);
  });

  it("tells a missing blob from an empty one", async () => {
    expect(await store.read("outputs/contract/none", 100)).toBeUndefined();
    await store.create("outputs/contract/empty", new Uint8Array(), "text/plain");
    expect(await store.read("outputs/contract/empty", 100)).toEqual(new Uint8Array());
  });

  it("refuses to read more than it was allowed to", async () => {
    await store.create("outputs/contract/large", bytes("x".repeat(2000)), "text/plain");
    expect((await store.read("outputs/contract/large", 2000))?.length).toBe(2000);
    await expect(store.read("outputs/contract/large", 1999)).rejects.toMatchObject({ class: "bad-input" });
  });
});

it("calls storage that does not answer a storage failure", async () => {
  const address = storage.connectionString.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${await freePort()}`);
  const store = createBlobStore(
    BlobServiceClient.fromConnectionString(address, { retryOptions: { maxTries: 1 } }),
  );
  await expect(store.read("outputs/x", 10)).rejects.toMatchObject({ class: "storage" });
  await expect(store.create("outputs/x", bytes("x"), "text/plain")).rejects.toMatchObject({
    class: "storage",
  });
});
