import * as z from "zod";

const Certificate = z.object({ cert: z.string(), privateKey: z.string(), expiresAt: z.number() });

/** A self-signed certificate for the loopback address: its own CA. PEM. */
export type Certificate = z.infer<typeof Certificate>;

const LIFE_DAYS = 825;
const DAY_MILLISECONDS = 86_400_000;
const DNS_NAME = 2;
const IP_ADDRESS = 7;

/** @param now milliseconds since 1970 */
export async function makeCertificate(now: number): Promise<Certificate> {
  // Loaded only where a certificate has to be made: it takes longer than everything else at start.
  const { generate } = await import("selfsigned");
  const expiresAt = now + LIFE_DAYS * DAY_MILLISECONDS;
  const { cert, private: privateKey } = await generate([{ name: "commonName", value: "localhost" }], {
    keyType: "ec",
    algorithm: "sha256",
    notBeforeDate: new Date(now - DAY_MILLISECONDS),
    notAfterDate: new Date(expiresAt),
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: DNS_NAME, value: "localhost" },
          { type: IP_ADDRESS, ip: "127.0.0.1" },
        ],
      },
    ],
  });
  return { cert, privateKey, expiresAt };
}

/** Reads a kept certificate; undefined when it makes no sense or expires within a day. */
export function parseCertificate(json: string, now: number): Certificate | undefined {
  try {
    const certificate = Certificate.parse(JSON.parse(json));
    return certificate.expiresAt > now + DAY_MILLISECONDS ? certificate : undefined;
  } catch {
    return undefined;
  }
}
