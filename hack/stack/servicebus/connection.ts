import * as z from "zod";

const KEY_NAME = "RootManageSharedAccessKey";

/** The one line that the emulator prints when it can be used. */
export const ReadyLine = z.object({
  event: z.literal("ready"),
  connectionString: z.string(),
  /** For `ServiceBusAdministrationClient`, which speaks HTTPS on another port. */
  adminConnectionString: z.string(),
  adminEndpoint: z.url(),
  /** PEM of the certificate that the administration client has to trust. */
  ca: z.string(),
});
export type ReadyLine = z.infer<typeof ReadyLine>;

export function readyLine(server: {
  amqpPort: number;
  adminPort: number;
  key: string;
  ca: string;
}): ReadyLine {
  const { amqpPort, adminPort, key, ca } = server;
  return {
    event: "ready",
    connectionString: connectionString(amqpPort, key),
    adminConnectionString: connectionString(adminPort, key),
    adminEndpoint: `https://127.0.0.1:${adminPort}`,
    ca,
  };
}

/** `UseDevelopmentEmulator` makes the SDK speak AMQP without TLS. */
function connectionString(port: number, key: string): string {
  return [
    `Endpoint=sb://127.0.0.1:${port}`,
    `SharedAccessKeyName=${KEY_NAME}`,
    `SharedAccessKey=${key}`,
    "UseDevelopmentEmulator=true",
  ].join(";");
}
