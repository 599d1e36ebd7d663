import * as z from "zod";

/**
 * What a child Job that several OpalJobs share says of them. It has one shard and one pod; its items are slots,
 * which count over all members in their order, from 0.
 */
export const SharedMembers = z
  .array(
    z.object({
      name: z.string(),
      uid: z.string(),
      /** Its attempt that this is, counted from 1. */
      attempt: z.int().min(1),
      /** Indexes of its items that the child holds, as ranges: one slot each, ascending. */
      items: z.string(),
      /** Its items that were done before, as ranges. */
      done: z.string().optional(),
    }),
  )
  .min(1);
export type SharedMembers = z.infer<typeof SharedMembers>;
