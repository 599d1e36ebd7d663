import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { isValidSasToken } from "./sas-token.ts";

const NOW = Date.UTC(2026, 0, 1);
const EXPIRY = NOW / 1000 + 3600;

function tokenFor(key: string, expirySeconds: number): string {
  const resource = encodeURIComponent("sb://127.0.0.1/jobs");
  const signature = createHmac("sha256", key).update(`${resource}\n${expirySeconds}`).digest("base64");
  return `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expirySeconds}&skn=Root`;
}

describe("a shared access signature", () => {
  test("made with the key holds until it expires", () => {
    const token = tokenFor("key", EXPIRY);
    expect(isValidSasToken(token, "key", NOW)).toBe(true);
    expect(isValidSasToken(token, "key", EXPIRY * 1000)).toBe(false);
  });

  test.each([
    ["made with another key", tokenFor("other", EXPIRY)],
    ["whose expiry was changed", tokenFor("key", EXPIRY).replace(`se=${EXPIRY}`, `se=${EXPIRY + 1}`)],
    ["without a signature", `SharedAccessSignature sr=x&se=${EXPIRY}`],
    ["of another kind", "Bearer x"],
    ["that is missing", undefined],
    ["that is no text", 7],
  ])("%s is refused", (_, token) => {
    expect(isValidSasToken(token, "key", NOW)).toBe(false);
  });
});
