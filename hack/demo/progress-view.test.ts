import { expect, test } from "vitest";
import type { ShardProgress } from "#crds/runner-report.ts";
import { progressLine, progressOf } from "./progress-view.ts";

const aPod = (changes: Partial<ShardProgress>): ShardProgress => ({
  v: 1,
  done: "",
  failed: "",
  stages: { segment: 0, place: 0, upscale: 0 },
  gpuSeconds: 0,
  ...changes,
});
const line = (status: string, index: number, ...pods: ShardProgress[]) =>
  progressLine("a.jpg", 5, progressOf(status, index, pods));

test.each([
  {
    name: "not uploaded yet",
    shown: line("created", 0),
    want: "… upload  · segment  · place  · upscale  · export",
  },
  { name: "queued", shown: line("queued", 0), want: "✓ upload  · segment  · place  · upscale  · export" },
  {
    name: "in a stage",
    shown: line("processing", 1, aPod({ current: { index: 1, item: "b", stage: "place" } })),
    want: "✓ upload  ✓ segment  … place  · upscale  · export",
  },
  {
    name: "while another item is in a stage",
    shown: line("processing", 0, aPod({ current: { index: 1, item: "b", stage: "place" } })),
    want: "✓ upload  · segment  · place  · upscale  · export",
  },
  {
    name: "being exported",
    shown: line("processing", 3, aPod({ done: "0-3" })),
    want: "✓ upload  ✓ segment  ✓ place  ✓ upscale  … export",
  },
  {
    name: "finished",
    shown: line("completed", 0),
    want: "✓ upload  ✓ segment  ✓ place  ✓ upscale  ✓ export",
  },
  { name: "failed", shown: line("failed", 0), want: "✓ upload  ✗ segment  · place  · upscale  · export" },
])("shows an item $name", ({ shown, want }) => {
  expect(shown).toBe(`a.jpg  ${want}`);
});
