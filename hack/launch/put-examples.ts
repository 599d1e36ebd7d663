import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BlobServiceClient } from "@azure/storage-blob";

const PHOTOS = fileURLToPath(new URL("../photos/photos/", import.meta.url));

/** Puts the repository's photos where the example OpalJobs look for them: raw/examples/. */
export async function putExamples(connectionString: string): Promise<void> {
  const raw = BlobServiceClient.fromConnectionString(connectionString).getContainerClient("raw");
  const names = await readdir(PHOTOS);
  await Promise.all(
    names.map(async (name) => {
      const blob = raw.getBlockBlobClient(`examples/${name}`);
      await blob.uploadData(await readFile(join(PHOTOS, name)), {
        blobHTTPHeaders: { blobContentType: "image/jpeg" },
      });
    }),
  );
}
