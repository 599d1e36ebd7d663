import { expect, test } from "vitest";
import { FAILURE_CLASSES } from "./failure.ts";
import {
  encodeVerdict,
  manifestParts,
  MAX_SHARD_ITEMS,
  MAX_TERMINATION_BYTES,
  ShardVerdict,
} from "./runner-report.ts";

const longest = FAILURE_CLASSES.reduce((a, b) => (b.length > a.length ? b : a));

function aVerdict(failures: number, message: string): ShardVerdict {
  return {
    v: 1,
    done: "",
    failed: Array.from({ length: failures }, (_, i) => ({
      index: 99_900 + i,
      id: "x".repeat(63),
      class: longest,
      message,
    })),
    stages: { segment: 0, place: 0, upscale: 0 },
    gpuSeconds: 123.456,
    coldStartSeconds: 1.234,
    wastedGpuSeconds: 0,
    stageTimes: {
      segment: { images: failures, seconds: 1234.567 },
      place: { images: failures, seconds: 1234.567 },
      upscale: { images: failures, seconds: 1234.567 },
    },
  };
}

test("keeps whole messages while they fit", () => {
  const verdict = aVerdict(2, "the file is not a picture");
  expect(ShardVerdict.parse(JSON.parse(encodeVerdict(verdict)))).toEqual(verdict);
});

test("names every failed item of the largest shard, whatever the messages are", () => {
  const verdict = aVerdict(MAX_SHARD_ITEMS, "ü".repeat(5000));
  verdict.error = { class: longest, message: "ü".repeat(5000) };
  const text = encodeVerdict(verdict);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_TERMINATION_BYTES);
  const failed = ShardVerdict.parse(JSON.parse(text)).failed;
  expect(failed.map(({ index, id }) => ({ index, id }))).toEqual(
    verdict.failed.map(({ index, id }) => ({ index, id })),
  );
});

test("names them all in a shared shard too, with everybody's turn", () => {
  const verdict = aVerdict(MAX_SHARD_ITEMS, "ü".repeat(5000));
  verdict.failed.forEach((item, slot) => (item.index = slot));
  verdict.turns = verdict.failed.map((_, slot) => [slot, 10_000.123 + slot]);
  verdict.error = { class: longest, message: "x".repeat(5000) };
  const text = encodeVerdict(verdict);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_TERMINATION_BYTES);
  expect(ShardVerdict.parse(JSON.parse(text)).turns).toEqual(verdict.turns);
});

const common = {
  v: 1,
  job: "coffee",
  namespace: "opal",
  uid: "uid-coffee",
  tenant: "shop",
  attempt: 1,
  correlationId: "c-1",
  brand: {},
  stages: ["segment"],
};
const anItem = (index: number) => ({ id: `item-${index}`, source: `raw/shop/${index}.jpg`, index });

test("a child's manifest is each shard's own with what all share", () => {
  const child = { ...common, shards: [{ items: [anItem(0), anItem(1)] }, { items: [anItem(2)] }] };
  const own = { ...common, shard: 1, items: [anItem(2)] };
  expect(manifestParts(child, 1)).toEqual(manifestParts(own, 1));
});

test("a child's manifest is none for a shard that it does not have", () => {
  expect(() => manifestParts({ ...common, shards: [{ items: [anItem(0)] }] }, 1)).toThrow(RangeError);
});
