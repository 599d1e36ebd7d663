/**
 * A runner that does nothing: says when its process began and gives every item of its shard a good verdict.
 * Stands in for the real one where the operator alone is measured, and so imports as little as it can.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatRanges } from "#crds/item-ranges.ts";
import { encodeVerdict, manifestKeys, manifestParts } from "#crds/runner-report.ts";

const folder = process.env["OPAL_MANIFEST_DIR"] ?? "";
const shard = Number(process.env["JOB_COMPLETION_INDEX"]);
const files = manifestKeys(shard).map((name) => join(folder, name));
const file = files.find((name) => existsSync(name));
if (file === undefined) throw new Error(`there is neither ${files.join(" nor ")}`);
const parts = manifestParts(JSON.parse(readFileSync(file, "utf8")), shard);
const slots = parts.flatMap(({ items }) => items.map(({ index, slot = index }) => slot));
const count = slots.length;
console.log(JSON.stringify({ msg: "started", startedAtMs: performance.timeOrigin }));
writeFileSync(
  process.env["OPAL_TERMINATION_LOG"] ?? "/dev/termination-log",
  encodeVerdict({
    v: 1,
    done: formatRanges(slots),
    failed: [],
    stages: { segment: count, place: count, upscale: count },
    gpuSeconds: 0,
    coldStartSeconds: 0,
    wastedGpuSeconds: 0,
  }),
);
