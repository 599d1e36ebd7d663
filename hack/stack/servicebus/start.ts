import { join } from "node:path";
import { nodeProgram } from "../../processes/node-program.ts";
import { spawnPart, type Part } from "../../processes/part.ts";
import type { Reaper } from "../../processes/reaper.ts";
import { ReadyLine } from "./connection.ts";
import type { QueueSettingsInput } from "./queue/settings.ts";

const READY_SECONDS = 30;
const GRACE_SECONDS = 3;

export interface ServiceBusOptions {
  /** Holds the journal, the log and the pid file. Made when it is missing. */
  readonly folder: string;
  readonly queues: Readonly<Record<string, QueueSettingsInput>>;
  /** Default: any free port. With the ports of an earlier life its clients find it again. */
  readonly ports?: { readonly amqp: number; readonly admin: number };
  readonly sync?: "never" | "always";
}

export interface ServiceBus extends Omit<ReadyLine, "event"> {
  readonly part: Part;
  readonly ports: { readonly amqp: number; readonly admin: number };
}

/** Starts the emulator as a process of its own. @throws with the end of its log when it does not start */
export async function startServiceBus(options: ServiceBusOptions, reaper: Reaper): Promise<ServiceBus> {
  const { folder, ports = { amqp: 0, admin: 0 }, queues, sync = "never" } = options;
  const part = await spawnPart(
    {
      name: "servicebus",
      ...nodeProgram(new URL("main.ts", import.meta.url), [
        `--folder=${join(folder, "servicebus")}`,
        `--queues=${JSON.stringify(queues)}`,
        `--amqp-port=${ports.amqp}`,
        `--admin-port=${ports.admin}`,
        `--sync=${sync}`,
      ]),
      cwd: "/",
      logFile: join(folder, "servicebus.log"),
      pidFolder: folder,
      graceSeconds: GRACE_SECONDS,
      readiness: { by: "line", read: readReadyLine, deadlineSeconds: READY_SECONDS },
    },
    reaper,
  );
  const { event: _, ...ready } = part.ready;
  return {
    part,
    ...ready,
    ports: { amqp: portIn(ready.connectionString), admin: portIn(ready.adminConnectionString) },
  };
}

function readReadyLine(line: string): ReadyLine | undefined {
  return line.startsWith("{") ? ReadyLine.safeParse(JSON.parse(line)).data : undefined;
}

function portIn(connectionString: string): number {
  return Number(/:(\d+);/.exec(connectionString)?.[1]);
}
