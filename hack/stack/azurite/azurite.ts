/**
 * Azure Blob Storage on this machine: Azurite's blob service as a child process, on a free port of the loopback
 * address, with OPAL's containers and CORS as the tenants' page needs it.
 */
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { BlobServiceProperties } from "@azure/storage-blob";
import { CONTAINERS } from "#crds/blob-keys.ts";
import { nodeProgram } from "../../processes/node-program.ts";
import { spawnPart, type Part } from "../../processes/part.ts";
import type { Reaper } from "../../processes/reaper.ts";

const ACCOUNT = "devstoreaccount1";
/** The account key of every Azurite and of Microsoft's older emulators: public, and good for nothing else. */
const ACCOUNT_KEY =
  "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const READY_SECONDS = 30;

export interface AzuriteOptions {
  /** Holds the blobs, the log and the pid file. Made when it is missing. */
  readonly folder: string;
  /** "disk": blobs survive the process (metadata is written within seconds of a change). */
  readonly persistence: "disk" | "memory";
}

export interface Azurite {
  readonly part: Part;
  /** Of the account: `http://127.0.0.1:<port>/devstoreaccount1`. */
  readonly endpoint: string;
  readonly connectionString: string;
}

/** @throws with the end of Azurite's log when it does not start */
export async function startAzurite(
  { folder, persistence }: AzuriteOptions,
  reaper: Reaper,
): Promise<Azurite> {
  const blobs = join(folder, "blobs");
  mkdirSync(blobs, { recursive: true });
  // The client takes a while to load; Azurite takes longer.
  const client = import("@azure/storage-blob");
  const part = await spawnPart(
    {
      name: "azurite",
      ...azuriteProgram(persistence === "disk" ? ["--location", blobs] : ["--inMemoryPersistence"]),
      cwd: folder,
      logFile: join(folder, "azurite.log"),
      pidFolder: folder,
      readiness: { by: "line", read: addressIn, deadlineSeconds: READY_SECONDS },
    },
    reaper,
  );
  const endpoint = `${part.ready}/${ACCOUNT}`;
  const connectionString = [
    "DefaultEndpointsProtocol=http",
    `AccountName=${ACCOUNT}`,
    `AccountKey=${ACCOUNT_KEY}`,
    `BlobEndpoint=${endpoint}`,
  ].join(";");
  try {
    const service = (await client).BlobServiceClient.fromConnectionString(connectionString);
    const containers = Object.values(CONTAINERS).map((name) => service.getContainerClient(name));
    await Promise.all([
      service.setProperties(PROPERTIES),
      ...containers.map((container) => container.createIfNotExists()),
    ]);
  } catch (error) {
    await part.stop();
    throw error;
  }
  return { part, endpoint, connectionString };
}

/** Browsers upload straight to the blob server. Any origin: the page is served from whatever port is free. */
const PROPERTIES: BlobServiceProperties = {
  cors: [
    {
      allowedOrigins: "*",
      allowedMethods: "GET,HEAD,PUT,OPTIONS",
      allowedHeaders: "*",
      exposedHeaders: "*",
      maxAgeInSeconds: 3600,
    },
  ],
};

/** Azurite always lags behind the SDK's API version, so its check is off; telemetry would be on by default. */
const FLAGS = "--blobHost 127.0.0.1 --blobPort 0 --skipApiVersionCheck --disableTelemetry --silent".split(
  " ",
);

function azuriteProgram(persistence: readonly string[]) {
  const azurite = createRequire(import.meta.url).resolve("azurite/package.json");
  const entry = new URL("dist/src/blob/main.js", pathToFileURL(azurite));
  const program = nodeProgram(entry, [...FLAGS, ...persistence]);
  const preloads = [
    new URL("without-telemetry.ts", import.meta.url),
    new URL("one-stop.ts", import.meta.url),
  ].flatMap(({ href }) => ["--import", href]);
  return { ...program, args: [...preloads, ...program.args] };
}

function addressIn(line: string): string | undefined {
  return /successfully listens on (http:\/\/\S+)$/.exec(line)?.[1];
}
