/** The states of jobs and items, as clients know them. */
export const STATUSES = ["created", "uploaded", "queued", "processing", "completed", "failed"] as const;
export type Status = (typeof STATUSES)[number];
