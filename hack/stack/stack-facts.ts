import * as z from "zod";
import type { Stack } from "./stack.ts";

const pid = z.int().positive();

/** What `up --json` prints: where everything is. It holds passwords of this machine's own making. */
export const StackFacts = z.object({
  event: z.literal("ready"),
  dir: z.string(),
  pids: z.object({ blob: pid, postgres: pid, servicebus: pid }),
  blob: z.object({ endpoint: z.string(), connectionString: z.string() }),
  postgres: z.object({ url: z.string() }),
  serviceBus: z.object({
    connectionString: z.string(),
    adminEndpoint: z.string(),
    adminConnectionString: z.string(),
    ca: z.string(),
  }),
});
export type StackFacts = z.infer<typeof StackFacts>;

export function factsOf({ blob, dir, pids, postgres, serviceBus }: Stack): StackFacts {
  return { event: "ready", dir, pids, blob, postgres: { url: postgres.url("postgres") }, serviceBus };
}

/** For people. */
export function describeFacts({ blob, dir, postgres, serviceBus }: StackFacts): string {
  return [
    `blob server  ${blob.connectionString}`,
    `Postgres     ${postgres.url}`,
    `Service Bus  ${serviceBus.connectionString}`,
    `logs, data   ${dir}`,
  ].join("\n");
}
