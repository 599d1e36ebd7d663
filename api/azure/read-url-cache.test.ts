import * as fc from "fast-check";
import { expect, test } from "vitest";
import { rememberReadUrls, sharedExpiry } from "./read-url-cache.ts";

test("a URL is signed once until its successors are due", async () => {
  let signed = 0;
  const readUrl = rememberReadUrls(async (ref, expiresAt) => {
    signed += 1;
    return `${ref}?${expiresAt.getTime()}`;
  });
  expect(await readUrl("a", new Date(1))).toBe("a?1");
  expect(await readUrl("a", new Date(1))).toBe("a?1");
  expect(await readUrl("b", new Date(1))).toBe("b?1");
  expect(signed).toBe(2);
  expect(await readUrl("a", new Date(2))).toBe("a?2");
  expect(signed).toBe(3);
});

test("a refused signature is asked for again", async () => {
  let refuse = true;
  const readUrl = rememberReadUrls(async (ref) => {
    if (refuse) throw new Error("no delegation key");
    return ref;
  });
  await expect(readUrl("a", new Date(1))).rejects.toThrow("no delegation key");
  refuse = false;
  expect(await readUrl("a", new Date(1))).toBe("a");
});

test("URLs live as long as promised, and half as long again at most", () => {
  const seconds = fc.integer({ min: 30, max: 86_400 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), seconds, (time, promised) => {
      const lifetime = (sharedExpiry(new Date(time), promised).getTime() - time) / 1000;
      expect(lifetime).toBeGreaterThanOrEqual(promised);
      expect(lifetime).toBeLessThanOrEqual(promised * 1.5);
    }),
  );
});
