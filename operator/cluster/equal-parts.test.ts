import { expect, it } from "vitest";
import { anOpalJob } from "../reconcile/testing.ts";
import { sharing, withEqualPartsShared } from "./equal-parts.ts";

it("keeps equal parts of two jobs once, and changes neither", () => {
  const [one, other] = [anOpalJob({ items: 2 }), anOpalJob({ items: 3, metadata: { name: "tea" } })];
  const [a, b] = [withEqualPartsShared(one), withEqualPartsShared(other)];
  expect([a, b]).toEqual([one, other]);
  expect(b.spec.brand).toBe(a.spec.brand);
  expect(b.spec.stages).toBe(a.spec.stages);
  expect(b.metadata.labels).toBe(a.metadata.labels);
  expect(b.spec.items).not.toBe(a.spec.items);
});

it("tells parts apart that differ", () => {
  const share = sharing<{ seed: number }>();
  const first = share({ seed: 1 });
  expect(share({ seed: 2 })).toEqual({ seed: 2 });
  expect(share({ seed: 1 })).toBe(first);
});

it("forgets when there are too many kinds, and never gives a wrong one", () => {
  const share = sharing<{ n: number }>();
  for (let n = 0; n < 2000; n++) expect(share({ n })).toEqual({ n });
});
