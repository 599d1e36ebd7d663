/**
 * The labelled corpus: what pods and events really look like when something goes wrong, by the class that a
 * person gave them. A file is a class, and one entry a case.
 */
import { readdirSync, readFileSync } from "node:fs";
import * as z from "zod";
import { describe, expect, it } from "vitest";
import { FailureClass } from "#crds/failure.ts";
import { failureOf } from "./classify.ts";
import { RawPodStatus, readEvidence } from "./read-evidence.ts";

const Case = z.object({
  name: z.string(),
  deletionTimestamp: z.string().optional(),
  status: RawPodStatus,
  events: z.array(z.object({ reason: z.string(), message: z.string() })).optional(),
});

const folder = new URL("corpus/", import.meta.url);
const cases = readdirSync(folder).flatMap((file) => {
  const want = FailureClass.parse(file.replace(".json", ""));
  const listed = z.array(Case).parse(JSON.parse(readFileSync(new URL(file, folder), "utf8")));
  return listed.map((one) => ({ ...one, want }));
});

const results = cases.map(({ name, want, status, events, deletionTimestamp }) => {
  const evidence = readEvidence(status, "runner");
  const isDeleting = deletionTimestamp !== undefined;
  return { name, want, got: failureOf({ ...evidence, isDeleting, events }).class };
});

const GOAL = 0.95;
const MIN_CASES = 60;

describe("the corpus", () => {
  it("names every class that a pod can fail with, in enough cases, each with its own name", () => {
    expect(cases.length).toBeGreaterThanOrEqual(MIN_CASES);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    // These are verdicts on one picture or on the OpalJob, never on a pod.
    const known = FailureClass.options.filter(
      (one) => !["no-product", "missing-input", "needs-review", "budget"].includes(one),
    );
    expect([...new Set(cases.map(({ want }) => want))].sort()).toEqual([...known].sort());
  });

  it("is classified right", () => {
    const wrong = results.filter(({ want, got }) => want !== got);
    const accuracy = 1 - wrong.length / results.length;
    const list = wrong.map(({ name, want, got }) => `\n  ${name}: ${got} instead of ${want}`).join("");
    const summary = `${results.length - wrong.length} of ${results.length} right (${(accuracy * 100).toFixed(1)} %)${list}`;
    console.log(`failure corpus: ${summary}`);
    expect(accuracy, summary).toBeGreaterThanOrEqual(GOAL);
  });
});
