import * as fc from "fast-check";
import { expect, test } from "vitest";
import { dnsLabel } from "#crds/opaljob.ts";
import { JOB_ID_PATTERN, sortableId } from "./ids.ts";

const bytes = fc.uint8Array({ minLength: 10, maxLength: 10 });
const time = fc.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true });

test("ids are DNS labels of 26 characters", () => {
  fc.assert(
    fc.property(time, bytes, (now, random) => {
      const id = sortableId(now, random);
      expect(id).toMatch(JOB_ID_PATTERN);
      expect(dnsLabel().safeParse(id).success).toBe(true);
    }),
  );
});

test("later ids sort behind earlier ones", () => {
  fc.assert(
    fc.property(time, bytes, bytes, (now, one, two) => {
      expect(sortableId(now, one) < sortableId(new Date(now.getTime() + 1), two)).toBe(true);
    }),
  );
});

test("every random bit counts", () => {
  const now = new Date(0);
  const ids = Array.from({ length: 80 }, (_, bit) => {
    const random = new Uint8Array(10);
    random[Math.floor(bit / 8)] = 1 << (bit % 8);
    return sortableId(now, random);
  });
  expect(new Set(ids).size).toBe(80);
});

test("another number of bytes is a mistake", () => {
  expect(() => sortableId(new Date(0), new Uint8Array(9))).toThrow(RangeError);
});
