/**
 * One message of the queue `jobs`: read the job from Postgres, create its OpalJob, mark it. Every step may be
 * repeated: the OpalJob is named after the job and the mark is guarded.
 */
import { JobMessage } from "#crds/messages.ts";
import * as z from "zod";
import type { IncomingMessage, Settlement } from "../azure/bus.ts";
import type { OpalJobs } from "../cluster/opaljobs.ts";
import type { IntakeStore } from "../store/intake.ts";
import { type OpalJobSettings, opalJobFromJob } from "./opaljob-from-job.ts";

export interface IntakeDeps {
  readonly store: IntakeStore;
  readonly opalJobs: Pick<OpalJobs, "create">;
  readonly settings: OpalJobSettings;
}

/** What became of a message, in one word, for logs and metrics. */
export type IntakeOutcome =
  "created" | "exists" | "job-gone" | "job-further-on" | "invalid-opaljob" | "malformed";

export interface IntakeResult {
  readonly outcome: IntakeOutcome;
  readonly settlement: Settlement;
  readonly message?: JobMessage;
}

const COMPLETE: Settlement = { do: "complete" };

/** @throws on what may be better at the next delivery: Postgres or the API server away, rights missing. */
export async function takeIn(incoming: IncomingMessage, deps: IntakeDeps): Promise<IntakeResult> {
  const parsed = JobMessage.safeParse(incoming.body);
  if (!parsed.success) {
    const description = z.prettifyError(parsed.error);
    return { outcome: "malformed", settlement: { do: "dead-letter", reason: "malformed", description } };
  }
  const message = parsed.data;
  const { tenantId, jobId } = message;
  const job = await deps.store.find(tenantId, jobId);
  if (!job) return { outcome: "job-gone", settlement: COMPLETE, message };
  if (job.status !== "queued") return { outcome: "job-further-on", settlement: COMPLETE, message };

  const creation = await deps.opalJobs.create(opalJobFromJob(message, job, deps.settings));
  if (creation.outcome === "invalid") {
    await deps.store.fail(tenantId, jobId, {
      class: "config",
      message: `The cluster refused the job: ${creation.message}`.slice(0, 1000),
    });
    const settlement: Settlement = {
      do: "dead-letter",
      reason: "invalid-opaljob",
      description: creation.message,
    };
    return { outcome: "invalid-opaljob", settlement, message };
  }
  await deps.store.markProcessing(tenantId, jobId);
  return { outcome: creation.outcome, settlement: COMPLETE, message };
}
