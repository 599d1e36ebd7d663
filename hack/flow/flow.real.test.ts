/** The whole way of a photo on the real parts, and what bad input gets. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { consoleCommands } from "../docs/console-blocks.ts";
import { launchOpal, type Opal } from "../launch/launch.ts";
import * as bad from "./bad-photos.ts";
import { Shop, type JobView } from "./shop.ts";

const photo = (name: string) => fileURLToPath(new URL(`../photos/photos/${name}`, import.meta.url));
const photoBytes = async (name: string) => Uint8Array.from(await readFile(photo(name)));

const UPLOAD_WINDOW_SECONDS = 20;

let opal: Opal;
let acme: Shop;
let other: Shop;

beforeAll(async () => {
  opal = await launchOpal({
    tenants: ["acme", "other"],
    tuning: { OPAL_UPLOAD_WINDOW_SECONDS: String(UPLOAD_WINDOW_SECONDS), OPAL_SWEEP_SECONDS: "1" },
  });
  acme = new Shop(opal, "acme");
  other = new Shop(opal, "other");
});
afterAll(() => opal?.stop());

describe("a good photo among bad ones", () => {
  let view: JobView;
  const item = (filename: string) => view.items.find((one) => one.filename === filename);

  beforeAll(async () => {
    const { jobId } = await acme.submit("studio", [
      { filename: "bottle.jpg", bytes: await photoBytes("bottle.jpg") },
      { filename: "letter.jpg", bytes: bad.textFile() },
      { filename: "half.jpg", bytes: await bad.truncatedJpeg() },
      { filename: "dot.png", bytes: await bad.onePixel(), contentType: "image/png" },
      { filename: "moving.gif", bytes: await bad.animatedGif(photo("dahlia.jpg")), contentType: "image/gif" },
      { filename: "huge.png", bytes: bad.hugePngHeader(), contentType: "image/png" },
      { filename: "wall.jpg", bytes: await bad.blankWall() },
      { filename: "never.jpg" },
    ]);
    view = await acme.until(jobId, 240);
  }, 300_000);

  test("the job is completed, and nothing is left in processing", () => {
    expect(view.status).toBe("completed");
    expect(view.items.filter(({ status }) => status !== "completed" && status !== "failed")).toEqual([]);
  });

  test("the good photo has three exports of the right shape", async () => {
    const bottle = item("bottle.jpg");
    expect(bottle).toMatchObject({ status: "completed", error: null });
    const shapes = await Promise.all(
      (bottle?.exports ?? []).map(async ({ name, url }) => {
        const response = await fetch(url);
        expect(response.status).toBe(200);
        const { width, height } = await sharp(await response.arrayBuffer()).metadata();
        return { name, ratio: (width / height).toFixed(2), isLarge: Math.min(width, height) >= 700 };
      }),
    );
    expect(shapes.sort((a, b) => a.name.localeCompare(b.name))).toEqual([
      { name: "1:1", ratio: "1.00", isLarge: true },
      { name: "4:3", ratio: "1.33", isLarge: true },
      { name: "9:16", ratio: "0.56", isLarge: true },
    ]);
  });

  test("the product's pixels are the photo's, by the stored proof", () => {
    const fidelity = item("bottle.jpg")?.ai_metadata.fidelity;
    expect(fidelity?.maxAbsDifference).toBe(0);
    expect(fidelity?.corePixels).toBeGreaterThan(10_000);
  });

  test("an animation is its first frame", () => {
    expect(item("moving.gif")).toMatchObject({ status: "completed" });
  });

  test.each([
    { filename: "letter.jpg", failure: "bad-input", says: /not a picture|format/i },
    { filename: "half.jpg", failure: "bad-input", says: /damaged|truncated|incomplete|cut off/i },
    { filename: "dot.png", failure: "bad-input", says: /1 ?× ?1|small/i },
    { filename: "huge.png", failure: "bad-input", says: /30,?000|large|megapixel/i },
    { filename: "wall.jpg", failure: "no-product", says: /product/i },
    { filename: "never.jpg", failure: "missing-input", says: /upload/i },
  ])("$filename fails as $failure and says why", ({ filename, failure, says }) => {
    const { status, error } = item(filename) ?? {};
    expect({ status, class: error?.class }).toEqual({ status: "failed", class: failure });
    expect(error?.message).toMatch(says);
  });

  test("kubectl shows the job's end, and the OpalJob may go when all is in Postgres", async () => {
    const { stdout } = await opal.cluster.kubectl([
      "get",
      "oj",
      view.job_id,
      "-n",
      opal.namespace,
      "-o",
      "json",
    ]);
    const object = JSON.parse(stdout) as { metadata: { finalizers?: string[] }; status: { phase: string } };
    expect(object.status.phase).toBe("Complete");
    expect(object.metadata.finalizers ?? []).toEqual([]);
  });
});

describe("what the api refuses", () => {
  test.each([
    { count: 0, status: 422 },
    { count: 1001, status: 422 },
  ])("a job with $count items", async ({ count, status }) => {
    const filenames = Array.from({ length: count }, (_, i) => `${i}.jpg`);
    const answer = await acme.createJob("studio", filenames);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toContain("items");
  });

  test("complete without an upload, and the job goes on once it is made", async () => {
    const { completed } = await acme.submit("transparent", [{ filename: "a.jpg" }]);
    expect(completed[0]).toMatchObject({ status: 409, body: { code: "upload_missing" } });
  });

  test("complete twice gives the same answer and one job", async () => {
    const { jobId, completed } = await acme.submit("transparent", [
      { filename: "letter.jpg", bytes: bad.textFile() },
    ]);
    const view = await acme.job(jobId);
    const again = await acme.call("POST", "/v1/uploads/complete", {
      tenant_id: "acme",
      job_id: jobId,
      item_id: view.items[0]?.item_id,
      filename: "letter.jpg",
    });
    expect(again).toEqual(completed[0]);
    expect(await acme.until(jobId, 60)).toMatchObject({ status: "failed" });
  });

  test("another tenant's job, as if it did not exist", async () => {
    const { jobId } = await acme.submit("transparent", [{ filename: "a.jpg" }]);
    expect(await other.call("GET", `/v1/jobs/${jobId}`)).toMatchObject({ status: 404 });
    const view = await acme.job(jobId);
    const upload = { job_id: jobId, item_id: view.items[0]?.item_id, filename: "a.jpg" };
    const sas = await other.call("POST", "/v1/uploads/sas", {
      tenant_id: "other",
      ...upload,
      content_type: "image/jpeg",
    });
    expect(sas.status).toBe(404);
    const lie = await other.call("POST", "/v1/uploads/complete", { tenant_id: "acme", ...upload });
    expect(lie.status).toBe(403);
  });

  test("a second upload to the same place", async () => {
    const created = await acme.createJob("transparent", ["a.jpg"]);
    const { job_id, items } = created.body as unknown as { job_id: string; items: { item_id: string }[] };
    const address = { tenant_id: "acme", job_id, item_id: items[0]?.item_id, filename: "a.jpg" };
    const ticket = await acme.call("POST", "/v1/uploads/sas", { ...address, content_type: "image/jpeg" });
    const { upload_url, headers } = ticket.body as unknown as {
      upload_url: string;
      headers: Record<string, string>;
    };
    const put = () => fetch(upload_url, { method: "PUT", headers, body: bad.textFile() });
    expect((await put()).status).toBe(201);
    expect([403, 409]).toContain((await put()).status);
  });
});

describe("the README's kubectl session", () => {
  const words = (text: string) => text.trim().split(/\s+/);

  test("runs as it stands there", async () => {
    const readme = await readFile(fileURLToPath(new URL("../../README.md", import.meta.url)), "utf8");
    const session = consoleCommands(readme).filter(({ command }) => command.startsWith("kubectl "));
    expect(session.length).toBeGreaterThanOrEqual(6);
    for (const { command, shown } of session) {
      const args = words(command).slice(1);
      const { code, stdout, stderr } = await opal.cluster.kubectl(args, { identity: "engineer" });
      expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: "" });
      const [heading = ""] = shown;
      // A table's heading and a plain answer are the same everywhere; ages, times and names of pods are not.
      if (args[0] === "get") expect(words(stdout.split("\n")[0] ?? "")).toEqual(words(heading));
      if (args[0] === "apply" || args[0] === "delete") expect(stdout.trim()).toBe(heading);
    }
  }, 180_000);
});
