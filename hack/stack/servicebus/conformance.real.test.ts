import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServiceBusAdministrationClient } from "@azure/service-bus";
import { afterAll, beforeAll, describe } from "vitest";
import { startReaper, type Reaper } from "../../processes/reaper.ts";
import { serviceBusConformance } from "./conformance.ts";
import { startServiceBus } from "./start.ts";

describe("the emulator", () => {
  let reaper: Reaper;
  const folder = mkdtempSync(join(tmpdir(), "opal-conformance-"));
  beforeAll(() => {
    reaper = startReaper({ env: process.env });
  });
  afterAll(async () => {
    await reaper.close();
    rmSync(folder, { recursive: true, force: true });
  });

  serviceBusConformance(async () => {
    const { adminConnectionString, ca, connectionString } = await startServiceBus(
      { folder, queues: {} },
      reaper,
    );
    const admin = new ServiceBusAdministrationClient(adminConnectionString, { tlsOptions: { ca } });
    return { connectionString, admin, lockSeconds: 1 };
  });
});

const namespace = process.env["OPAL_SERVICEBUS_CONNECTION_STRING"];
if (namespace !== undefined) {
  describe("a namespace in Azure", () => {
    serviceBusConformance(async () => ({
      connectionString: namespace,
      admin: new ServiceBusAdministrationClient(namespace),
      lockSeconds: 5, // Azure's minimum
    }));
  });
}
