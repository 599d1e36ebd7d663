/** The certificate with which content credentials are signed, from files. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { algorithmOf, type SigningKey } from "./cose.ts";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new Error("the key file holds no private key in PEM, or one with a password", { cause });
  }
}

/**
 * Checks what would make every export unreadable as evidence: a key of another certificate, one that is out of
 * date at `now`.
 * @throws {Error} with a sentence for who runs the platform.
 */
export function parseSigningKey(pems: { certificates: string; key: string }, now: Date): SigningKey {
  const chain = (pems.certificates.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
  const [own, ...issuers] = chain;
  if (!own) throw new Error("the certificate file holds no certificate in PEM");
  const key = readKey(pems.key);
  algorithmOf(key);
  if (!own.checkPrivateKey(key)) throw new Error("the key is not that of the file's first certificate");
  if (own.validFromDate > now || own.validToDate < now) {
    throw new Error(`the certificate is valid from ${own.validFrom} to ${own.validTo}`);
  }
  // C2PA leaves the root to the reader's list of trust.
  const intermediates = issuers.filter((one) => one.subject !== one.issuer);
  return { key, certificates: [own, ...intermediates].map(({ raw }) => new Uint8Array(raw)) };
}

export async function readSigningKey(
  files: { readonly certificateFile: string; readonly keyFile: string },
  now: Date,
): Promise<SigningKey> {
  const [certificates, key] = await Promise.all([
    readFile(files.certificateFile, "utf8"),
    readFile(files.keyFile, "utf8"),
  ]);
  return parseSigningKey({ certificates, key }, now);
}
