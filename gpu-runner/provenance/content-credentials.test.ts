import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { createContentSigner, readCredentials } from "./content-credentials.ts";
import { signClaim } from "./cose.ts";
import { parseSigningKey } from "./signing-key.ts";
import { makeIdentity, type TestIdentity } from "./testing.ts";

const NOW = new Date();
const picture = () => sharp({ create: { width: 64, height: 48, channels: 3, background: "#336699" } });

let identity: TestIdentity;
beforeAll(async () => {
  identity = await makeIdentity(NOW);
});

async function signed(format: "jpeg" | "png" | "webp" | "avif", by = identity) {
  const bytes = await picture().toFormat(format).toBuffer();
  const signer = createContentSigner(parseSigningKey(by, NOW));
  const contentType = `image/${format}`;
  const file = await signer.sign({ bytes, contentType, title: "vase 1:1", sourceType: "compositeCapture" });
  return { bytes, file, contentType, signer };
}

describe("content credentials", () => {
  it.each(["jpeg", "png", "webp", "avif"] as const)(
    "are trusted in a %s by who trusts the root",
    async (format) => {
      const { bytes, file, contentType, signer } = await signed(format);
      expect(await readCredentials(file, contentType, identity.rootsPem)).toEqual({
        state: "Trusted",
        signer: "Acme pictures",
      });
      expect(file.length - bytes.length).toBeLessThanOrEqual(signer.reservedBytes);
      const pixels = (from: Uint8Array) => sharp(from).raw().toBuffer();
      expect(Buffer.compare(await pixels(file), await pixels(bytes))).toBe(0);
    },
  );

  it("are valid and no more for others", async () => {
    const { file, contentType } = await signed("jpeg");
    expect((await readCredentials(file, contentType)).state).toBe("Valid");
    const stranger = await makeIdentity(NOW);
    expect((await readCredentials(file, contentType, stranger.rootsPem)).state).toBe("Valid");
  });

  it("are signed on P-384 too", async () => {
    const other = await makeIdentity(NOW, { curve: "P-384" });
    const { file, contentType } = await signed("jpeg", other);
    expect((await readCredentials(file, contentType, other.rootsPem)).state).toBe("Trusted");
  });

  it("break when a pixel changes", async () => {
    const { file, contentType } = await signed("jpeg");
    const forged = new Uint8Array(file);
    // In the entropy-coded picture, away from markers.
    const at = forged.length - 20;
    forged[at] = (forged[at] ?? 0) === 0x55 ? 0x56 : 0x55;
    expect((await readCredentials(forged, contentType, identity.rootsPem)).state).toBe("Invalid");
  });

  it("are not made with a certificate for something else", async () => {
    const server = await makeIdentity(NOW, { usage: "1.3.6.1.5.5.7.3.1" });
    await expect(signed("jpeg", server)).rejects.toThrow(/cannot sign .*signingCredential.invalid/);
  });

  it("say how the picture came to be", async () => {
    const { file } = await signed("png");
    expect(Buffer.from(file).includes("digitalsourcetype/compositeCapture")).toBe(true);
  });
});

describe("a signing key", () => {
  it("leaves the root to the reader", () => {
    expect(parseSigningKey(identity, NOW).certificates).toHaveLength(1);
  });

  it("makes an envelope of exactly the wanted size, or says that it cannot", () => {
    const key = parseSigningKey(identity, NOW);
    expect(signClaim(new Uint8Array(9), key, 3000)).toHaveLength(3000);
    expect(() => signClaim(new Uint8Array(9), key, 100)).toThrow(/bytes more than the 100 reserved/);
  });

  const refusals: readonly {
    name: string;
    change: (own: TestIdentity, other: TestIdentity) => Partial<TestIdentity>;
    says: RegExp;
  }[] = [
    { name: "no certificate", change: () => ({ certificates: "" }), says: /holds no certificate/ },
    { name: "no key", change: () => ({ key: "" }), says: /holds no private key/ },
    { name: "another's key", change: (_, { key }) => ({ key }), says: /not that of the file's first/ },
  ];
  it.each(refusals)("is refused with $name", async ({ change, says }) => {
    const other = await makeIdentity(NOW);
    expect(() => parseSigningKey({ ...identity, ...change(identity, other) }, NOW)).toThrow(says);
  });

  it("is refused out of date", () => {
    const later = new Date(NOW.getTime() + 400 * 86_400_000);
    expect(() => parseSigningKey(identity, later)).toThrow(/valid from .* to /);
  });
});
