import { type BlobStore, openBlobStore } from "../azure/blob.ts";
import type { BlobAccess } from "../config.ts";
import { type RoleContext, readSecret } from "./role.ts";

export async function connectBlob(access: BlobAccess, context: RoleContext): Promise<BlobStore> {
  if ("endpoint" in access) return openBlobStore({ endpoint: access.endpoint, now: context.now });
  return openBlobStore({ connectionString: await readSecret(access.connectionStringFile, context) });
}
