import { createHmac, timingSafeEqual } from "node:crypto";

const PREFIX = "SharedAccessSignature ";

/**
 * Checks a shared access signature: that it was made with the key and has not expired. What it was made for is
 * not looked at: the key of the emulator opens all of it.
 * @param now milliseconds since 1970
 */
export function isValidSasToken(token: unknown, key: string, now: number): boolean {
  if (typeof token !== "string" || !token.startsWith(PREFIX)) return false;
  const fields = new Map(token.slice(PREFIX.length).split("&").map(splitField));
  const expiry = fields.get("se") ?? "";
  const expected = createHmac("sha256", key)
    .update(`${fields.get("sr") ?? ""}\n${expiry}`)
    .digest();
  const given = Buffer.from(decodeURIComponent(fields.get("sig") ?? ""), "base64");
  const isSigned = given.length === expected.length && timingSafeEqual(given, expected);
  return isSigned && Number(expiry) * 1000 > now;
}

function splitField(field: string): [string, string] {
  const at = field.indexOf("=");
  return [field.slice(0, at), field.slice(at + 1)];
}
