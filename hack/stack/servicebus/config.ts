import * as z from "zod";
import { QueueName, QueueSettings } from "./queue/settings.ts";

const port = z.coerce.number().int().min(0).max(65_535);

const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: "custom", message: "is not JSON" });
    return z.NEVER;
  }
});

const Config = z.object({
  /** Where the journal, the key and the certificate are kept. One emulator at a time. */
  folder: z.string().min(1),
  /** JSON: queue name → settings. Missing queues are made, existing ones get these settings. */
  queues: json.pipe(z.record(QueueName, QueueSettings)),
  /** 0: any free port. */
  "amqp-port": port.default(0),
  "admin-port": port.default(0),
  /** "never": what was accepted survives this process. "always": it survives the machine. */
  sync: z.enum(["never", "always"]).default("never"),
});
export type Config = z.infer<typeof Config>;

/** @throws an Error that lists all problems at once */
export function parseConfig(options: Readonly<Record<string, unknown>>): Config {
  const parsed = Config.safeParse(options);
  if (!parsed.success) throw new Error(`bad options\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
