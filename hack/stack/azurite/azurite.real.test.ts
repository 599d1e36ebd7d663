import { BlobServiceClient } from "@azure/storage-blob";
import { expect, test } from "vitest";
import { makeFolder } from "../../processes/testing-folder.ts";
import { startReaper } from "../../processes/reaper.ts";
import { startAzurite } from "./azurite.ts";

test("keeps its blobs when it is asked to stop once more while it stops", async () => {
  const folder = makeFolder();
  const reaper = startReaper({ env: process.env });
  const raw = (connectionString: string) =>
    BlobServiceClient.fromConnectionString(connectionString).getContainerClient("raw");
  try {
    const first = await startAzurite({ folder, persistence: "disk" }, reaper);
    // So many that their metadata takes a while to write.
    const names = Array.from({ length: 200 }, (_, i) => `kept-${i}`);
    const blobs = raw(first.connectionString);
    for (const name of names) await blobs.getBlockBlobClient(name).uploadData(Buffer.from("kept"));
    process.kill(first.part.pid, "SIGTERM");
    await first.part.stop();
    const second = await startAzurite({ folder, persistence: "disk" }, reaper);
    expect(await raw(second.connectionString).getBlockBlobClient("kept-199").exists()).toBe(true);
    await second.part.stop();
  } finally {
    await reaper.close();
  }
});
