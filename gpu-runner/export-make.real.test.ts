import { beforeAll, describe, expect, it } from "vitest";
import { ExportMessage } from "#crds/messages.ts";
import { CHANNEL_EXPORTS, EXPORTS } from "#crds/stages.ts";
import { type ExportFile, type ExportWork, makeExport } from "./export-make.ts";
import { DEFAULT_MODELS } from "./models/catalogue.ts";
import { ModelSessions } from "./models/sessions.ts";
import { enlarged } from "./pipeline/box.ts";
import { decodeForExport, type ExportSource, resizePicture } from "./stages/export.ts";
import { cutoutOf } from "./stages/export-product.ts";
import { segment } from "./stages/segment.ts";
import { photoBytes, testModels } from "./testing.ts";

const LIMITS = { maxSourceMegapixels: 100, workingPixels: 2048 };
const FACTOR = 2;

/** A real cut-out at twice its size, as the upscaler would give it, asked for everything. */
async function aWork(photo: "bottle" | "coffee" | "dahlia", sessions: ModelSessions): Promise<ExportWork> {
  const { picture, facts } = await segment(await photoBytes(photo), LIMITS, sessions);
  const small = await decodeForExport(picture.bytes);
  const size = { width: small.width * FACTOR, height: small.height * FACTOR };
  const source = (await resizePicture(small, size)) as ExportSource;
  const box = enlarged(facts.productBox, FACTOR);
  const message = ExportMessage.parse({
    v: 1,
    tenantId: "acme",
    jobId: "spring",
    itemId: photo,
    uid: "0f8fad5b-d9cb-469f-a165-70867728950e",
    source: "outputs/acme/final.png",
    placement: "transparent",
    background: "#d8d2c8",
    productBox: box,
    contentBox: box,
    exports: [...EXPORTS],
    correlationId: "test",
  });
  const cutout = await cutoutOf(source, undefined);
  const nothing = () => Promise.resolve(undefined);
  return {
    message,
    source,
    rights: { creator: "Ann" },
    cutOff: [],
    layer: nothing,
    cutout: () => Promise.resolve(cutout),
  };
}

function made(outcome: Awaited<ReturnType<typeof makeExport>>): ExportFile {
  if ("refused" in outcome) throw new Error(outcome.refused);
  return outcome;
}

describe.each(["bottle", "coffee", "dahlia"] as const)("exports of the %s", (photo) => {
  let work: ExportWork;
  beforeAll(async () => {
    const sessions = new ModelSessions({ modelsDir: await testModels(), provider: "cpu", intraOpThreads: 2 });
    for (const model of DEFAULT_MODELS) if (model.task.kind === "segment") await sessions.load(model);
    work = await aWork(photo, sessions);
  });

  it.each(CHANNEL_EXPORTS)("keep every rule of %s, or say which pixels are missing", async (channel) => {
    const outcome = await makeExport(channel, work);
    if ("refused" in outcome) {
      expect(outcome).toEqual({ refused: expect.stringMatching(/\d+ are asked/) });
    } else {
      expect(outcome.validation.passed).toBe(true);
      expect(outcome.validation.rules.length).toBeGreaterThanOrEqual(10);
    }
  });

  it("have the same bytes again", async () => {
    const [first, second] = [
      made(await makeExport("google-shopping", work)),
      made(await makeExport("google-shopping", work)),
    ];
    expect(Buffer.compare(first.bytes, second.bytes)).toBe(0);
  });

  it("keep their transparency as WebP", async () => {
    const asked = { ...work, message: { ...work.message, format: "webp" as const } };
    const { extension, validation } = made(await makeExport("cutout", asked));
    expect([extension, validation.passed]).toEqual(["webp", true]);
  });
});
