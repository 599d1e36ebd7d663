/** A blob server that speaks https and takes bearer tokens, as Azure does it. */
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { BlobServiceClient, type StoragePipelineOptions } from "@azure/storage-blob";
import { generate } from "selfsigned";
import { CONTAINERS } from "#crds/blob-keys.ts";
import { spawnPart } from "../../hack/processes/part.ts";
import { putBlob, startPart } from "../testing.ts";

/** The SDK passes it on to its pipeline, but does not declare it. */
export type TlsAwareOptions = StoragePipelineOptions & { readonly tlsOptions: { readonly ca: string } };

export interface SecureBlob {
  readonly endpoint: string;
  /** PEM of the certificate to trust. */
  readonly ca: string;
  put(ref: string, body: string, contentType?: string): Promise<void>;
  stop(): Promise<void>;
}

const ACCOUNT = "devstoreaccount1";
const KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const FLAGS = "--silent --inMemoryPersistence --skipApiVersionCheck --disableTelemetry --oauth basic";
const ADDRESS = "--blobHost 127.0.0.1 --blobPort 0";

export async function startSecureBlob(): Promise<SecureBlob> {
  const pair = await generate([{ name: "commonName", value: "127.0.0.1" }], {
    extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
  });
  const { part, stop } = await startPart(async (folder, reaper) => {
    const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    await Promise.all([writeFile(cert, pair.cert), writeFile(key, pair.private)]);
    const azurite = dirname(createRequire(import.meta.url).resolve("azurite/package.json"));
    const flags = `${FLAGS} ${ADDRESS}`.split(" ");
    return spawnPart(
      {
        name: "azurite",
        command: process.execPath,
        args: [join(azurite, "dist/src/blob/main.js"), ...flags, "--cert", cert, "--key", key],
        env: {},
        cwd: folder,
        logFile: join(folder, "azurite.log"),
        readiness: { by: "line", read: addressIn, deadlineSeconds: 30 },
      },
      reaper,
    );
  });
  const endpoint = `${part.ready}/${ACCOUNT}`;
  const options: TlsAwareOptions = { tlsOptions: { ca: pair.cert } };
  const connection = `DefaultEndpointsProtocol=https;AccountName=${ACCOUNT};AccountKey=${KEY};BlobEndpoint=${endpoint}`;
  const service = BlobServiceClient.fromConnectionString(connection, options);
  for (const container of Object.values(CONTAINERS)) await service.createContainer(container);
  return { endpoint, ca: pair.cert, put: (ref, body, type) => putBlob(service, ref, body, type), stop };
}

function addressIn(line: string): string | undefined {
  return /successfully listens on (https:\/\/\S+)$/.exec(line)?.[1];
}
