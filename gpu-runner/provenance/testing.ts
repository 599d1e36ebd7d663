/** Certificates as C2PA asks for them, made for a test: a root and what it has signed. */
import type { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const DAY_MILLISECONDS = 86_400_000;

export interface TestIdentity {
  readonly rootsPem: string;
  /** The signer's own first. */
  readonly certificates: string;
  readonly key: string;
}

const newKeys = (namedCurve: string) =>
  crypto.subtle.generateKey({ name: "ECDSA", namedCurve }, true, ["sign", "verify"]);

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

/**
 * @param now the certificates are valid from the day before to a year after
 * @param usage what the signer's certificate is for; C2PA takes `emailProtection` among few others
 */
export async function makeIdentity(
  now: Date,
  { curve = "P-256", usage = x509.ExtendedKeyUsage.emailProtection }: { curve?: string; usage?: string } = {},
): Promise<TestIdentity> {
  const validity = {
    notBefore: new Date(now.getTime() - DAY_MILLISECONDS),
    notAfter: new Date(now.getTime() + 365 * DAY_MILLISECONDS),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
  };
  const rootKeys = await newKeys("P-256");
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: "01",
    name: "O=Acme, CN=Acme test root",
    keys: rootKeys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(rootKeys.publicKey),
    ],
  });
  const keys = await newKeys(curve);
  const own = await x509.X509CertificateGenerator.create({
    ...validity,
    serialNumber: "02",
    subject: "O=Acme, CN=Acme pictures",
    issuer: root.subject,
    publicKey: keys.publicKey,
    signingKey: rootKeys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage], true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(rootKeys.publicKey),
    ],
  });
  return {
    rootsPem: root.toString("pem"),
    certificates: `${own.toString("pem")}\n${root.toString("pem")}`,
    key: await keyPem(keys.privateKey),
  };
}
