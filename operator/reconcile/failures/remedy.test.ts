import { describe, expect, it } from "vitest";
import { FAILURE_CLASSES, type FailureClass } from "#crds/failure.ts";
import { changesFor, mayTryAgain, NO_CHANGES, type PastFailure } from "./remedy.ts";

const item = (failure: FailureClass): PastFailure => ({ class: failure, isExhausted: false });
const shard = (failure: FailureClass, nodeName?: string): PastFailure => ({
  class: failure,
  isExhausted: true,
  nodeName,
});
const rules = { perItem: 1, runnerWorks: true };

describe("another try", () => {
  it.each<{ name: string; history: PastFailure[]; runnerWorks?: boolean; want: boolean }>([
    { name: "after nothing went wrong", history: [], want: true },
    { name: "after a first failure that may pass", history: [item("storage")], want: true },
    { name: "not after the last one that it has", history: [item("storage"), item("storage")], want: false },
    { name: "not with the same bad picture", history: [item("bad-input")], want: false },
    { name: "after any number of evictions", history: Array(9).fill(shard("evicted")), want: true },
    { name: "evictions cost none of the others", history: [shard("evicted"), item("storage")], want: true },
    {
      name: "what a runner says of an item costs a retry, whatever it calls it",
      history: [item("evicted"), item("evicted")],
      want: false,
    },
    { name: "a crash, when the runner works on others", history: [shard("unknown")], want: true },
    { name: "not a crash, when nothing works", history: [shard("unknown")], runnerWorks: false, want: false },
    {
      name: "a bad node, though nothing has worked yet",
      history: [shard("node")],
      runnerWorks: false,
      want: true,
    },
  ])("$name: $want", ({ history, runnerWorks = true, want }) => {
    expect(mayTryAgain(history, { ...rules, runnerWorks })).toBe(want);
  });

  it("comes to an end in every class as far as the item itself fails", () => {
    for (const failure of FAILURE_CLASSES) {
      expect(mayTryAgain([item(failure), item(failure)], rules), failure).toBe(false);
    }
  });
});

describe("what is done differently", () => {
  it.each<{ name: string; histories: PastFailure[][]; want: object }>([
    { name: "nothing after an eviction", histories: [[shard("evicted", "n1")]], want: NO_CHANGES },
    {
      name: "smaller tiles when memory ran out",
      histories: [[item("out-of-memory")]],
      want: { tileScale: 0.5 },
    },
    {
      name: "a larger GPU when memory ran out again",
      histories: [[item("out-of-memory"), shard("out-of-memory")], [item("storage")]],
      want: { tileScale: 0.25, needsMoreVram: true },
    },
    {
      name: "other nodes than those that failed",
      histories: [[shard("node", "n2")], [shard("image-pull", "n1")], [shard("unknown", "n3")]],
      want: { avoidNodes: ["n1", "n2"] },
    },
    {
      name: "but only the last few of them",
      histories: [["a", "b", "c", "d", "e"].map((name) => shard("node", name))],
      want: { avoidNodes: ["b", "c", "d", "e"] },
    },
  ])("$name", ({ histories, want }) => {
    expect(changesFor(histories)).toEqual({ ...NO_CHANGES, ...want });
  });
});
