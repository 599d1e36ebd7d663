import fc from "fast-check";
import { expect, test } from "vitest";
import { OrderedSet } from "./ordered-set.ts";

test("keeps the order of what is in, whatever was put in and taken out", () => {
  const entry = fc.record({
    order: fc.integer({ min: 0, max: 9 }),
    sequence: fc.integer({ min: 0, max: 9 }),
  });
  fc.assert(
    fc.property(fc.uniqueArray(entry, { selector: (e) => e.sequence }), fc.array(entry), (added, deleted) => {
      const set = new OrderedSet();
      for (const { order, sequence } of added) set.add(order, sequence);
      for (const { order, sequence } of deleted) set.delete(order, sequence);
      const isDeleted = (e: { order: number; sequence: number }): boolean =>
        deleted.some(({ order, sequence }) => order === e.order && sequence === e.sequence);
      const left = added
        .filter((e) => !isDeleted(e))
        .toSorted((a, b) => a.order - b.order || a.sequence - b.sequence);
      expect([...set]).toEqual(left.map(({ sequence }) => sequence));
      expect(set.first).toEqual(left[0]);
      expect(set.size).toBe(left.length);
    }),
  );
});
