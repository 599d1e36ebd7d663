/** A shop for the tests of the whole flow: raw calls, so that what goes wrong can be looked at. */
import type { Opal } from "../launch/launch.ts";

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export interface Upload {
  readonly filename: string;
  readonly contentType?: string;
  /** Undefined: the upload is never made. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

interface Item {
  item_id: string;
  filename: string;
  status: string;
  error: { class: string; message: string } | null;
  ai_metadata: { fidelity?: { maxAbsDifference: number; corePixels: number } };
  urls: Record<string, string | null>;
  exports: { name: string; url: string; width: number; height: number }[];
}
export interface JobView {
  job_id: string;
  status: string;
  items: Item[];
}

const POLL_MILLISECONDS = 250;

export class Shop {
  readonly tenant: string;
  readonly #opal: Opal;

  constructor(opal: Opal, tenant: string) {
    this.tenant = tenant;
    this.#opal = opal;
  }

  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.#opal.apiUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#opal.apiKeys[this.tenant]}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  createJob(profile: string, filenames: readonly string[]): Promise<Answer> {
    const items = filenames.map((filename) => ({ filename }));
    return this.call("POST", "/v1/jobs", { tenant_id: this.tenant, brand_profile_id: profile, items });
  }

  /** Creates a job and makes its uploads. Returns its id and the answers to `complete`, in order. */
  async submit(profile: string, uploads: readonly Upload[]): Promise<{ jobId: string; completed: Answer[] }> {
    const created = await this.createJob(
      profile,
      uploads.map(({ filename }) => filename),
    );
    if (created.status !== 201) throw new Error(`POST /v1/jobs: ${JSON.stringify(created)}`);
    const job = created.body as unknown as { job_id: string; items: { item_id: string; filename: string }[] };
    const completed: Answer[] = [];
    for (const [index, item] of job.items.entries()) {
      const upload = uploads[index];
      const address = {
        tenant_id: this.tenant,
        job_id: job.job_id,
        item_id: item.item_id,
        filename: item.filename,
      };
      if (upload?.bytes)
        await this.#put({ ...address, content_type: upload.contentType ?? "image/jpeg" }, upload.bytes);
      completed.push(await this.call("POST", "/v1/uploads/complete", address));
    }
    return { jobId: job.job_id, completed };
  }

  async #put(address: object, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const ticket = await this.call("POST", "/v1/uploads/sas", address);
    if (ticket.status !== 200) throw new Error(`POST /v1/uploads/sas: ${JSON.stringify(ticket)}`);
    const { upload_url, headers } = ticket.body as unknown as {
      upload_url: string;
      headers: Record<string, string>;
    };
    const response = await fetch(upload_url, { method: "PUT", headers, body: bytes });
    if (response.status !== 201) throw new Error(`PUT: HTTP ${response.status} ${await response.text()}`);
  }

  async job(jobId: string): Promise<JobView> {
    const { status, body } = await this.call("GET", `/v1/jobs/${jobId}`);
    if (status !== 200) throw new Error(`GET /v1/jobs/${jobId}: ${status} ${JSON.stringify(body)}`);
    return body as unknown as JobView;
  }

  /**
   * Waits until the job satisfies `isSo`, by default until it has its verdict.
   * @throws {Error} at the deadline, with the job as it is then.
   */
  async until(
    jobId: string,
    deadlineSeconds: number,
    isSo = ({ status }: JobView) => status === "completed" || status === "failed",
  ): Promise<JobView> {
    const deadline = performance.now() + deadlineSeconds * 1000;
    for (;;) {
      const view = await this.job(jobId).catch((error: unknown) => error as Error);
      if (!(view instanceof Error) && isSo(view)) return view;
      if (performance.now() > deadline) {
        const last = view instanceof Error ? view.message : JSON.stringify(view, undefined, 1);
        throw new Error(`not so within ${deadlineSeconds} s; logs in ${this.#opal.dir}; the job: ${last}`);
      }
      await new Promise((wake) => setTimeout(wake, POLL_MILLISECONDS));
    }
  }
}
