import { expect, test } from "vitest";
import { exportRef, itemReportRef, parseBlobRef, rawRef, safeFilename, stageOutputRef } from "./blob-keys.ts";

const key = { tenant: "acme", job: "j1", uid: "0123456789ab", item: "i1" };

test("a job applied again under its old name has other keys", () => {
  expect(itemReportRef(key)).not.toBe(itemReportRef({ ...key, uid: "fedcba9876" }));
});

test("keys tell the tenant first", () => {
  expect(stageOutputRef(key, "segment", "ab".repeat(32), "png")).toBe(
    "outputs/acme/j1.01234567/i1/segment-abababababababab.png",
  );
  expect(exportRef(key, "9:16", "jpg")).toBe("exports/acme/j1.01234567/i1/9x16.jpg");
});

test.each([
  ["../../etc/passwd", "__.._etc_passwd"],
  ["..", "_"],
  ["my photo (1).JPG", "my_photo__1_.JPG"],
  ["", "_"],
  ["ünï.png", "_n_.png"],
])("makes the filename '%s' safe", (filename, safe) => {
  expect(safeFilename(filename)).toBe(safe);
  expect(rawRef({ tenant: "t", job: "j", item: "i", filename })).toBe(`raw/t/j/i/${safe}`);
});

test("splits a reference at its first slash and refuses half ones", () => {
  expect(parseBlobRef("raw/a/b.png")).toEqual({ container: "raw", path: "a/b.png" });
  for (const bad of ["raw", "/a", "raw/"]) expect(() => parseBlobRef(bad)).toThrow(RangeError);
});
