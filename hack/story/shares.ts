import type { Stage } from "./stage.ts";
import type { Teller } from "./teller.ts";

export interface SharesFacts {
  /** GPUs of the two tenants while both want more. */
  readonly linen: number;
  readonly ceramics: number;
  /** GPUs that the large job had before the other tenant came. */
  readonly before: number;
}

/** Two tenants with weights 1 and 3: who came first gives up what is more than his share. */
export async function playShares(stage: Stage, teller: Teller): Promise<SharesFacts> {
  teller.heading(
    "Two tenants, weights 1 and 3, eight GPUs",
    "linen has the GPUs to itself, until eight jobs of ceramics, which has three times the weight, come in.",
  );
  const gpusOf = async (queue: string) => (await stage.queue(queue)).status.gpus ?? 0;
  await stage.apply("shares-linen.yaml");
  const before = await stage.until("linen uses all GPUs", async () => {
    const { status } = await stage.job("linen-catalogue");
    const gpus = status.assignment?.gpus ?? 0;
    return gpus === 8 && status.items?.running === 8 && gpus;
  });
  await teller.show("get oj,opalqueue", "linen-catalogue has all 8 GPUs: nobody else wanted any");
  await stage.apply("shares-ceramics.yaml");
  const shares = await stage.until("the tenants share, and all that have GPUs run", async () => {
    const [linen, ceramics] = await Promise.all([gpusOf("linen"), gpusOf("ceramics")]);
    const running = (await stage.jobs()).filter(({ status }) => status.phase === "Running");
    const areAtWork = running.filter(({ spec }) => spec.tenant === "ceramics").length >= 6;
    return linen + ceramics === 8 && areAtWork && { linen, ceramics };
  });
  const waiting = await stage.until("a job waits and knows for how long", async () => {
    const jobs = (await stage.jobs()).filter(({ spec }) => spec.tenant === "ceramics");
    return jobs.find(({ status }) => status.phase === "Queued" && status.eta)?.metadata.name;
  });
  await teller.show(
    "get oj -o wide",
    "GPUS 2 against six times 1; BECAUSE says what the two others wait for",
  );
  await teller.show("get opalqueue", "SHARE of the T4s is near 1 : 3");
  await teller.show(
    "events --for opaljob/linen-catalogue",
    "why the GPUs are gone, and for whom: linen had more than its share",
  );
  await teller.show(
    `describe oj ${waiting}`,
    "the condition Queued, Status.Queue, and when it is likely to be done",
  );
  return { ...shares, before };
}
