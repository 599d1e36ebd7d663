import { expect, it } from "vitest";
import { OpalJob } from "#crds/opaljob.ts";
import { createFakeCluster, createFakeOperator } from "./testing.ts";

const items = [{ id: "cup", source: "raw/shop/cup.jpg" }];
const phases = ({ api }: ReturnType<typeof createFakeCluster>) =>
  Object.fromEntries(api.all("opaljobs").map(({ metadata, status }) => [metadata.name, status?.["phase"]]));

it("a job that cannot be read says so and harms no other, and goes its way once it can be read", async () => {
  const cluster = createFakeCluster(() => "done");
  await cluster.addPool("sim");
  await cluster.addQueue("default");
  await cluster.applyOpalJob("foreign", { tenant: "shop", items, brand: { placement: "hologram" } });
  await cluster.applyOpalJob("good", { tenant: "shop", items, brand: { placement: "studio" } });
  const operator = createFakeOperator(cluster);
  await operator.passAll();
  await cluster.clock.advance(1500);
  await operator.passAll();
  expect(phases(cluster)).toEqual({ foreign: "Invalid", good: "Starting" });
  for (let step = 0; step < 5; step++) {
    await cluster.step();
    await operator.passAll();
  }
  expect(phases(cluster)).toEqual({ foreign: "Invalid", good: "Complete" });
  expect((await operator.passAll()).acted).toBe(0);

  cluster.api.mutate("opaljobs", "foreign", (raw) =>
    Object.assign(raw.spec ?? {}, { brand: { placement: "studio" } }),
  );
  for (let step = 0; step < 5; step++) {
    await operator.passAll();
    await cluster.step();
  }
  expect(phases(cluster)).toEqual({ foreign: "Complete", good: "Complete" });
  const [foreign] = cluster.api.all("opaljobs").map((raw) => OpalJob.parse(raw));
  expect(foreign?.status.conditions?.map(({ type, reason }) => `${type} ${reason}`)).toContain(
    "Queued NotWaiting",
  );
});
