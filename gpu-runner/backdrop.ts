import { CONTAINERS } from "#crds/blob-keys.ts";
import type { ShardManifest } from "#crds/runner-report.ts";
import type { BlobStore } from "./blobs.ts";
import { Failure } from "./failure.ts";

/**
 * True for an upload of that tenant. Storage takes a path as it is, but what turns it into a URL resolves "..":
 * such a path could lead to another tenant's pictures.
 */
export function isOwnUpload(ref: string, tenant: string): boolean {
  const [container, owner, ...path] = ref.split("/");
  const isPlain = path.length > 0 && path.every((part) => part !== "" && part !== "." && part !== "..");
  return container === CONTAINERS.raw && owner === tenant && isPlain && !ref.includes("\\");
}

/**
 * The picture that a brand puts behind its products; undefined for the other placements.
 * @throws {Failure} `config` when it is not the tenant's own or is not there.
 */
export async function readBackdrop(
  blobs: BlobStore,
  { brand, tenant }: Pick<ShardManifest, "brand" | "tenant">,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  if (brand.placement !== "image") return undefined;
  const ref = brand.image;
  if (ref === undefined) throw new Failure("config", "placement `image` needs brand.image");
  if (!isOwnUpload(ref, tenant)) {
    throw new Failure("config", `brand.image must be an upload of the same tenant: raw/${tenant}/...`);
  }
  const bytes = await blobs.read(ref, maxBytes).catch((error: unknown) => {
    if (error instanceof Failure && error.class === "bad-input") {
      throw new Failure("config", `brand.image: ${error.message}`, { cause: error });
    }
    throw error;
  });
  if (!bytes) throw new Failure("config", `brand.image: there is no upload at ${ref}`);
  return bytes;
}
