import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ServiceBusAdministrationClient, ServiceBusClient } from "@azure/service-bus";
import { BlobServiceClient } from "@azure/storage-blob";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { identify } from "../processes/process-identity.ts";
import { eventually } from "../processes/testing.ts";
import { startStack, type Stack } from "./stack.ts";
import { StackFacts } from "./stack-facts.ts";

const CLI = fileURLToPath(new URL("cli.ts", import.meta.url));
const run = promisify(execFile);

function isAnyRunning(pids: Stack["pids"]): boolean {
  return Object.values(pids).some((pid) => identify(pid) !== undefined);
}

describe("a stack", () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(() => stack.stop());

  test("has a Postgres", async () => {
    await stack.postgres.createDatabase("opal");
    const sql = postgres(stack.postgres.url("opal"), { max: 1 });
    expect(await sql`select 1 as one`).toEqual([{ one: 1 }]);
    await sql.end();
  });

  test("has OPAL's containers, closed to strangers, and lets browsers upload", async () => {
    const service = BlobServiceClient.fromConnectionString(stack.blob.connectionString);
    const names: string[] = [];
    for await (const { name } of service.listContainers()) names.push(name);
    expect(names.toSorted()).toEqual(["exports", "outputs", "raw"]);
    await service.getContainerClient("raw").getBlockBlobClient("photo").uploadData(Buffer.from("x"));
    expect((await fetch(`${stack.blob.endpoint}/raw/photo`)).ok).toBe(false);
    const preflight = await fetch(`${stack.blob.endpoint}/raw/photo`, {
      method: "OPTIONS",
      headers: { origin: "http://studio.example", "access-control-request-method": "PUT" },
    });
    expect(preflight.status).toBe(200);
  });

  test("has OPAL's queues", async () => {
    const { adminConnectionString, ca, connectionString } = stack.serviceBus;
    const admin = new ServiceBusAdministrationClient(adminConnectionString, { tlsOptions: { ca } });
    for (const queue of ["jobs", "exports"]) {
      expect(await admin.getQueue(queue)).toMatchObject({
        lockDuration: "PT30S",
        maxDeliveryCount: 5,
        requiresDuplicateDetection: true,
        duplicateDetectionHistoryTimeWindow: "PT10M",
      });
    }
    const client = new ServiceBusClient(connectionString);
    await client.createSender("jobs").sendMessages({ body: "hello" });
    const [message] = await client.createReceiver("jobs").receiveMessages(1);
    expect(message?.body).toBe("hello");
    await client.close();
  });

  test("runs beside another one, and leaves nothing behind", async () => {
    const other = await startStack();
    expect(other.postgres.url("x")).not.toBe(stack.postgres.url("x"));
    expect(isAnyRunning(other.pids)).toBe(true);
    await other.stop();
    expect(isAnyRunning(other.pids)).toBe(false);
    expect(existsSync(other.dir)).toBe(false);
    expect(isAnyRunning(stack.pids)).toBe(true);
  });

  test("tells which part has ended", async () => {
    const other = await startStack();
    process.kill(other.pids.postgres, "SIGKILL");
    expect(await other.broken).toBe("postgres");
    await other.stop();
  });
});

describe("a stack in a folder", () => {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "opal-stack-test-")));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test("finds everything again, also what was there when its launcher was killed", async () => {
    const launcher = spawn(process.execPath, [CLI, "up", "--dir", dir, "--json"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await once(createInterface({ input: launcher.stdout }), "line");
    const facts = StackFacts.parse(JSON.parse(line));
    const sql = postgres(facts.postgres.url, { max: 1, onclose: () => {} });
    await sql`create table kept as select 7 as number`;
    await sql.end();
    const bus = new ServiceBusClient(facts.serviceBus.connectionString);
    await bus.createSender("jobs").sendMessages({ body: "kept" });
    await bus.close();
    const service = BlobServiceClient.fromConnectionString(facts.blob.connectionString);
    await service.getContainerClient("raw").getBlockBlobClient("kept").uploadData(Buffer.from("kept"));

    await expect(startStack({ dir })).rejects.toThrow(/^a stack runs in .* already/);
    const killed = once(launcher, "exit");
    launcher.kill("SIGKILL");
    await killed;
    const stack = await startStack({ dir });
    expect(isAnyRunning(facts.pids)).toBe(false);
    const again = postgres(stack.postgres.url("postgres"), { max: 1 });
    expect(await again`select number from kept`).toEqual([{ number: 7 }]);
    await again.end();
    const busAgain = new ServiceBusClient(stack.serviceBus.connectionString);
    const [message] = await busAgain.createReceiver("jobs").receiveMessages(1);
    expect(message?.body).toBe("kept");
    await busAgain.close();
    const blobs = BlobServiceClient.fromConnectionString(stack.blob.connectionString);
    expect(await blobs.getContainerClient("raw").getBlockBlobClient("kept").exists()).toBe(true);
    await stack.stop();
  });

  test("is started in the background, looked at and stopped by commands", async () => {
    const cli = (...args: string[]) => run(process.execPath, [CLI, ...args, "--dir", dir, "--json"]);
    const { stdout } = await cli("up", "--detach");
    const facts = StackFacts.parse(JSON.parse(stdout));
    const { stdout: status } = await cli("status");
    expect(JSON.parse(status)).toMatchObject({
      event: "status",
      parts: [{}, { pid: facts.pids.postgres }, {}],
    });
    expect(JSON.parse((await cli("down")).stdout)).toMatchObject({ event: "down", wasRunning: true });
    await eventually("all parts have ended", () => !isAnyRunning(facts.pids));
    await expect(cli("status")).rejects.toMatchObject({ code: 1 });
    expect(JSON.parse((await cli("down")).stdout)).toMatchObject({ wasRunning: false });
  });

  test("a second start in the background is refused with a reason", async () => {
    const stack = await startStack({ dir });
    const second = run(process.execPath, [CLI, "up", "--detach", "--dir", dir]);
    await expect(second).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/a stack runs in .* already/),
    });
    await stack.stop();
  });
});
