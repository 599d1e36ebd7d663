import { describe, expect, it } from "vitest";
import { OpalJob, OpalJobStatus } from "#crds/opaljob.ts";
import { anOpalJob } from "./testing.ts";
import { unreadableOpalJob, unreadableStatus } from "./unreadable.ts";

const now = new Date("2026-01-01T12:00:00Z");
const later = new Date("2026-01-01T13:00:00Z");
const newer = (brand: object, status: object = {}) => {
  const job = anOpalJob();
  const raw = { ...job, spec: { ...job.spec, brand }, status };
  const { error } = OpalJob.safeParse(raw);
  if (!error) throw new Error("it can be read");
  return unreadableOpalJob(raw, error);
};

describe("an OpalJob that cannot be read", () => {
  it("says what is wrong where people look, in a status that can be read", () => {
    const patch = unreadableStatus(newer({ placement: "hologram" }), now);
    expect(OpalJobStatus.parse(patch)).toEqual(patch);
    expect(patch).toMatchObject({
      phase: "Invalid",
      conditions: [
        {
          type: "Queued",
          status: "False",
          reason: "InvalidSpec",
          message: expect.stringContaining("spec.brand.placement") as string,
          lastTransitionTime: now.toISOString(),
        },
      ],
    });
  });

  it("says it once", () => {
    const brand = { placement: "hologram" };
    const said = unreadableStatus(newer(brand), now);
    expect(unreadableStatus(newer(brand, said), later)).toBeUndefined();
  });

  it("says so again when something else is wrong, with the time of the first", () => {
    const said = unreadableStatus(newer({ placement: "hologram" }), now);
    expect(unreadableStatus(newer({ placement: "studio", upscale: "large" }, said), later)).toMatchObject({
      conditions: [
        {
          message: expect.stringContaining("spec.brand.upscale") as string,
          lastTransitionTime: now.toISOString(),
        },
      ],
    });
  });

  it("leaves a finished job as it is", () => {
    const complete = { type: "Complete", status: "True", reason: "AllItemsDone", message: "" };
    expect(
      unreadableStatus(newer({ placement: "hologram" }, { conditions: [complete] }), now),
    ).toBeUndefined();
  });

  it("keeps the other conditions, newer ones too", () => {
    const levitating = { type: "Levitating", status: "True", reason: "New", since: 7 };
    const patch = unreadableStatus(newer({ placement: "hologram" }, { conditions: [levitating] }), now);
    expect(patch?.["conditions"]).toMatchObject([{ type: "Queued" }, levitating]);
  });
});
