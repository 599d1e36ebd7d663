import fc from "fast-check";
import { expect, it } from "vitest";
import { KeyLine } from "./key-line.ts";

it("behaves as a list without repeats does", () => {
  const step = fc.record({
    do: fc.constantFrom("add" as const, "delete" as const, "take" as const),
    key: fc.constantFrom("a", "b", "c", "d"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const line = new KeyLine();
      const list: string[] = [];
      for (const { do: what, key } of steps) {
        const at = list.indexOf(key);
        if (what === "take") expect(line.take()).toBe(list.shift());
        if (what === "delete") {
          expect(line.delete(key)).toBe(at !== -1);
          if (at !== -1) list.splice(at, 1);
        }
        if (what === "add") {
          line.add(key);
          if (at === -1) list.push(key);
        }
        expect(line.size).toBe(list.length);
        expect(line.has(key)).toBe(list.includes(key));
      }
    }),
  );
});
