/**
 * An emulator of Azure Service Bus queues for laptops, tests and demos: the unmodified SDK talks to it. It keeps
 * everything in a journal and picks up after SIGKILL where it was. Prints one JSON line when it is ready.
 *
 *   node main.ts --folder DIR --queues '{"jobs":{"lockSeconds":30}}' [--amqp-port N] [--admin-port N] [--sync always]
 */
import { parseArgs } from "node:util";
import { parseConfig, type Config } from "./config.ts";
import { startEmulator } from "./emulator.ts";

const EXIT_CONFIG = 78;
const CLOSE_MILLISECONDS = 1_000;

const emulator = await startEmulator(readConfig(), (error) => console.error(error));
console.log(JSON.stringify(emulator.ready));

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    // A client that does not answer must not hold us up: the journal is complete at every moment.
    setTimeout(() => process.exit(0), CLOSE_MILLISECONDS).unref();
    void emulator.close().then(() => process.exit(0));
  });
}

function readConfig(): Config {
  const string = { type: "string" } as const;
  try {
    const { values } = parseArgs({
      options: { folder: string, queues: string, "amqp-port": string, "admin-port": string, sync: string },
    });
    return parseConfig(values);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(EXIT_CONFIG);
  }
}
