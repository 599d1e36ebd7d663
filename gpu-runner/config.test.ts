import { describe, expect, it } from "vitest";
import { BadSettings, parseConfig } from "./config.ts";
import { parseExportConfig } from "./export-config.ts";
import { DEFAULT_SCENES } from "./stages/scene-settings.ts";

const RUNNER = {
  OPAL_MANIFEST_DIR: "/manifest",
  JOB_COMPLETION_INDEX: "3",
  POD_NAME: "spring-1-3",
  POD_NAMESPACE: "default",
  OPAL_MODELS_DIR: "/models",
  OPAL_BLOB_ENDPOINT: "https://opal.blob.core.windows.net",
  OPAL_EXECUTION_PROVIDER: "cpu",
};

describe("parseConfig", () => {
  it("reads the settings, with defaults for what has a safe one", () => {
    expect(parseConfig({ ...RUNNER, LOG_LEVEL: "" })).toMatchObject({
      shard: 3,
      pod: { name: "spring-1-3", namespace: "default" },
      blob: { by: "identity", endpoint: "https://opal.blob.core.windows.net" },
      terminationLog: "/dev/termination-log",
      graceSeconds: 20,
      maxSourceBytes: 50 * 1024 * 1024,
      apiServer: undefined,
      logLevel: "info",
    });
  });

  it("finds the API server of the cluster", () => {
    const env = { ...RUNNER, KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "6443" };
    expect(parseConfig(env).apiServer).toEqual({ host: "10.0.0.1", port: 6443 });
  });

  it("tells all problems at once", () => {
    const env = { ...RUNNER, OPAL_EXECUTION_PROVIDER: "tpu", JOB_COMPLETION_INDEX: "-1", POD_NAME: "" };
    const parse = () => parseConfig(env);
    expect(parse).toThrow(BadSettings);
    for (const name of ["OPAL_EXECUTION_PROVIDER", "JOB_COMPLETION_INDEX", "POD_NAME"])
      expect(parse).toThrow(name);
  });

  it("knows how scenes are painted: by its own model, until another is named", () => {
    expect(parseConfig(RUNNER).scenes).toEqual(DEFAULT_SCENES);
    const env = { OPAL_SCENE_MODEL: "sd-turbo", OPAL_SCENE_STEPS: "2", OPAL_SCENE_SCHEDULER: "euler" };
    expect(
      parseConfig({ ...RUNNER, ...env, OPAL_REFUSED_PROMPT_WORDS: "guns, blood and gore" }).scenes,
    ).toEqual({
      model: "sd-turbo",
      steps: 2,
      scheduler: "euler",
      tries: 3,
      refusedWords: ["guns", "blood and gore"],
    });
    const wrong = { OPAL_SCENE_MODEL: "../sd", OPAL_SCENE_SCHEDULER: "pndm", OPAL_SCENE_TRIES: "0" };
    for (const name of Object.keys(wrong)) expect(() => parseConfig({ ...RUNNER, ...wrong })).toThrow(name);
  });

  it("wants exactly one way to storage", () => {
    const both = { ...RUNNER, OPAL_BLOB_CONNECTION_STRING_FILE: "/blob" };
    const { OPAL_BLOB_ENDPOINT: _, ...neither } = RUNNER;
    for (const env of [both, neither])
      expect(() => parseConfig(env)).toThrow("give either OPAL_BLOB_ENDPOINT");
  });
});

describe("parseExportConfig", () => {
  const EXPORT = {
    OPAL_SERVICEBUS_NAMESPACE: "opal.servicebus.windows.net",
    OPAL_DATABASE_URL_FILE: "/database-url",
    OPAL_BLOB_CONNECTION_STRING_FILE: "/blob",
  };

  it("reads the settings", () => {
    expect(parseExportConfig(EXPORT)).toMatchObject({
      serviceBus: { by: "identity", namespace: "opal.servicebus.windows.net" },
      blob: { by: "connection-string", file: "/blob" },
      concurrency: 1,
      maxDeliveries: 10,
    });
  });

  it("wants exactly one way to the bus", () => {
    const env = { ...EXPORT, OPAL_SERVICEBUS_CONNECTION_STRING_FILE: "/bus" };
    expect(() => parseExportConfig(env)).toThrow("give either OPAL_SERVICEBUS_NAMESPACE");
  });
});
