import { describe, expect, it } from "vitest";
import { parseExportConfig } from "./export-config.ts";

const ENV = {
  OPAL_SERVICEBUS_NAMESPACE: "bus.example.net",
  OPAL_DATABASE_URL_FILE: "/secrets/database",
  OPAL_BLOB_ENDPOINT: "https://blobs.example.net",
};

describe("the export worker's settings", () => {
  it("sign nothing without a certificate", () => {
    expect(parseExportConfig(ENV).credentials).toBeUndefined();
  });

  it("name certificate and key", () => {
    const env = { ...ENV, OPAL_C2PA_CERTIFICATE_FILE: "/c.pem", OPAL_C2PA_KEY_FILE: "/k.pem" };
    expect(parseExportConfig(env).credentials).toEqual({ certificateFile: "/c.pem", keyFile: "/k.pem" });
  });

  it.each(["OPAL_C2PA_CERTIFICATE_FILE", "OPAL_C2PA_KEY_FILE"])("refuse %s alone", (name) => {
    expect(() => parseExportConfig({ ...ENV, [name]: "/x.pem" })).toThrow(/together, or neither/);
  });

  it("tell all problems at once", () => {
    const env = { ...ENV, OPAL_EXPORT_CONCURRENCY: "0", LOG_LEVEL: "loud" };
    expect(() => parseExportConfig(env)).toThrow(/OPAL_EXPORT_CONCURRENCY[^]*LOG_LEVEL/);
  });
});
