import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificate, parseCertificate, type Certificate } from "./admin/certificate.ts";
import { startAdminServer } from "./admin/server.ts";
import { startAmqpServer } from "./amqp/server.ts";
import { Broker } from "./broker.ts";
import type { Config } from "./config.ts";
import { readyLine, type ReadyLine } from "./connection.ts";
import { Journal } from "./journal/journal.ts";

const KEY_BYTES = 32;

export interface Emulator {
  readonly ready: ReadyLine;
  close(): Promise<void>;
}

/**
 * Starts the emulator in its folder: the queues are as its last life left them, clients' connection strings
 * stay valid when the ports stay.
 */
export async function startEmulator(config: Config, onError: (error: unknown) => void): Promise<Emulator> {
  const { folder, queues, sync } = config;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const key = keptKey(join(folder, "shared-access-key"));
  const broker = new Broker({
    journal: new Journal({ folder, sync }),
    now: () => Date.now(),
    newToken: randomUUID,
  });
  for (const [name, settings] of Object.entries(queues)) broker.putQueue(name, settings);

  const certificate = await keptCertificate(join(folder, "certificate.json"), Date.now());
  const amqp = await startAmqpServer({ broker, key, port: config["amqp-port"], onError });
  const admin = await startAdminServer({ broker, key, certificate, port: config["admin-port"] });
  return {
    ready: readyLine({ amqpPort: amqp.port, adminPort: admin.port, key, ca: certificate.cert }),
    async close() {
      await Promise.all([amqp.close(), admin.close()]);
      broker.close();
    },
  };
}

function keptKey(file: string): string {
  if (!existsSync(file)) writeFileSync(file, randomBytes(KEY_BYTES).toString("base64"), { mode: 0o600 });
  return readFileSync(file, "utf8");
}

async function keptCertificate(file: string, now: number): Promise<Certificate> {
  const kept = existsSync(file) ? parseCertificate(readFileSync(file, "utf8"), now) : undefined;
  if (kept !== undefined) return kept;
  const made = await makeCertificate(now);
  writeFileSync(file, JSON.stringify(made), { mode: 0o600 });
  return made;
}
