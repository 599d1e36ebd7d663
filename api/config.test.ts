import { describe, expect, test } from "vitest";
import { ConfigError, parseConfig } from "./config.ts";

const readable = () => undefined;
const BASE = { OPAL_DATABASE_URL_FILE: "/secrets/database" };

describe("the environment", () => {
  test("gives each role what it uses, with defaults", () => {
    const config = parseConfig(
      "serve",
      { ...BASE, OPAL_API_KEYS_FILE: "/keys", OPAL_BLOB_CONNECTION_STRING_FILE: "/blob" },
      readable,
    );
    expect(config).toMatchObject({
      OPAL_PORT: 8080,
      OPAL_MAX_ITEMS_PER_JOB: 1000,
      blob: { connectionStringFile: "/blob" },
    });
  });

  test("prefers managed identity when there is no connection string", () => {
    const config = parseConfig(
      "relay",
      { ...BASE, OPAL_SERVICEBUS_NAMESPACE: "opal.servicebus.windows.net" },
      readable,
    );
    expect(config.bus).toEqual({ namespace: "opal.servicebus.windows.net", identity: "managed" });
  });

  test("lists everything that is wrong at once", () => {
    const env = {
      OPAL_DATABASE_URL_FILE: "/nope",
      OPAL_RESYNC_SECONDS: "often",
      OPAL_NAMESPACE: "Not A Label",
      OPAL_PORT: "",
    };
    const check = (path: string) => (path === "/nope" ? "no such file" : undefined);
    expect(() => parseConfig("project", env, check)).toThrow(ConfigError);
    expect(() => parseConfig("project", env, check)).toThrow(
      [
        'the environment of "project" is not usable:',
        "OPAL_BLOB_ENDPOINT: set it (managed identity), or set OPAL_BLOB_CONNECTION_STRING_FILE",
        "OPAL_DATABASE_URL_FILE: cannot be read: no such file",
        "OPAL_NAMESPACE: must be lower-case letters, digits and '-', 63 characters at most",
        "OPAL_RESYNC_SECONDS: Invalid input: expected number, received NaN",
      ].join("\n  "),
    );
  });

  test("asks no role for what only others use", () => {
    expect(() => parseConfig("migrate", BASE, readable)).not.toThrow();
  });
});
