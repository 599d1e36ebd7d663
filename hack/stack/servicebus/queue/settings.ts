import * as z from "zod";

/** What can be set about a queue, in the words and with the defaults of Azure Service Bus. */
export const QueueSettings = z.object({
  /** How long a receiver may hold a message before it has to settle it or to renew the lock. */
  lockSeconds: z.number().positive().max(300).default(60),
  /** The failed deliveries after which a message goes to the dead-letter queue. */
  maxDeliveryCount: z.int().min(1).max(2000).default(10),
  /** A second message with the same id is dropped within this window; 0 switches duplicate detection off. */
  duplicateDetectionSeconds: z.number().nonnegative().default(0),
  requiresSession: z.boolean().default(false),
  /** Expired messages go to the dead-letter queue instead of away. */
  deadLetteringOnMessageExpiration: z.boolean().default(false),
  /** The longest life of a message, counted from when it can be received; absent: as long as it says itself. */
  defaultTimeToLiveSeconds: z.number().positive().optional(),
});
export type QueueSettings = z.infer<typeof QueueSettings>;
export type QueueSettingsInput = z.input<typeof QueueSettings>;

/** Queue names are compared without regard to case. At most 260 characters, as in Azure. */
export const QueueName = z
  .string()
  .max(260)
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?$/, "letters, digits, and . _ - / inside");
