/** Pods that Kubernetes refuses to create: what the OpalJob says then, and how it goes on. */
import { expect, it } from "vitest";
import { OpalJob } from "#crds/opaljob.ts";
import { createFakeCluster, createFakeOperator } from "./testing.ts";

const words =
  'Error creating: pods "job-1-0-" is forbidden: exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0';
const spec = {
  tenant: "shop",
  items: [{ id: "cup", source: "raw/shop/cup.jpg" }],
  brand: { placement: "studio" },
};

it("says what keeps the pods away and what would mend it, once, and goes on when that is mended", async () => {
  const cluster = createFakeCluster(() => "done");
  await cluster.addPool("sim");
  await cluster.addQueue("default");
  await cluster.applyOpalJob("job", spec);
  cluster.refusePods(words);
  let operator = createFakeOperator(cluster);
  const rounds = async (count: number) => {
    for (let round = 0; round < count; round++) {
      await operator.passAll();
      await cluster.step();
    }
    await operator.passAll();
  };
  const status = () => OpalJob.parse(cluster.api.all("opaljobs")[0]).status;
  const running = () => status().conditions?.find(({ type }) => type === "Running");

  await rounds(1);
  await cluster.clock.advance(500);
  await operator.passAll();
  expect(running()).toMatchObject({ reason: "PodsStarting" });
  await rounds(4);
  expect(running()).toMatchObject({
    status: "False",
    reason: "NamespaceQuotaExhausted",
    message: expect.stringMatching(
      /^ResourceQuota none leaves no room .* once the quota has room\.$/,
    ) as string,
  });
  expect(status().phase).toBe("Starting");

  // A new leader knows the same, and has nothing to write.
  operator = createFakeOperator(cluster);
  await rounds(3);
  expect(operator.writes.filter((write) => write === "writeStatus")).toEqual([]);
  const warnings = cluster.notes.filter(({ type }) => type === "Warning");
  expect(warnings).toMatchObject([{ reason: "NamespaceQuotaExhausted", note: running()?.message }]);

  cluster.refusePods(undefined);
  await rounds(6);
  expect(status().phase).toBe("Complete");
});
