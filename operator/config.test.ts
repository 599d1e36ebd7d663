import { describe, expect, it } from "vitest";
import { parseConfig } from "./config.ts";

const file = `
namespace: opal
runner: { image: opal/runner, serviceAccountName: opal-runner }
`;
const parse = (text: string, env: Record<string, string> = { OPAL_CONFIG_FILE: "/etc/opal.yaml" }) =>
  parseConfig(env, () => text);

describe("the configuration", () => {
  it("needs little and fills in the rest", () => {
    expect(parse(file)).toMatchObject({
      namespace: "opal",
      shardSize: 8,
      coalesce: { maxItems: 16 },
      metricsPort: 8080,
      logLevel: "info",
      kueue: false,
      unreachableSeconds: 15,
      schedule: { minRunSeconds: 60 },
      lease: { name: "opal-operator", durationSeconds: 15 },
      writes: { perSecond: 100, burst: 200 },
    });
  });

  it("lists all its problems at once, each with its field", () => {
    const bad = file.concat("shardSize: 99\nsharedSize: 3\nschedule: { reloadSeconds: -1 }\n");
    const env = { OPAL_CONFIG_FILE: "/etc/opal.yaml", OPAL_METRICS_PORT: "http", LOG_LEVEL: "loud" };
    const problems = () => parse(bad, env);
    for (const word of [
      "OPAL_METRICS_PORT",
      "LOG_LEVEL",
      "schedule.reloadSeconds",
      "shardSize",
      "sharedSize",
    ]) {
      expect(problems).toThrow(word);
    }
  });

  it.each([
    ["OPAL_CONFIG_FILE", "", {}],
    ["renewSeconds", `${file}lease: { durationSeconds: 10, renewSeconds: 10 }`, undefined],
    ["retrySeconds", `${file}lease: { durationSeconds: 10, renewSeconds: 5, retrySeconds: 6 }`, undefined],
    ["coalesce.maxItems", `${file}coalesce: { maxItems: 25 }`, undefined],
    ["/etc/opal.yaml", "namespace: [", undefined],
  ])("refuses and names %s", (word, text, env) => {
    expect(() => parse(text, env)).toThrow(word);
  });
});
