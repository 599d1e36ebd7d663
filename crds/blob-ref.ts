import * as z from "zod";

/** A blob, as `<container>/<path>`: only the containers that a runner may read. */
export const BlobRef = z
  .string()
  .min(5)
  .max(512)
  .regex(/^(raw|outputs)\/[^/].*$/, "must be raw/<path> or outputs/<path>");
