/**
 * A tenant, as far as the demo needs one: calls the HTTP API exactly as a shop's own program would, and can say
 * each call as a curl line.
 */
import * as z from "zod";

const CreatedJob = z.object({
  job_id: z.string(),
  items: z.array(z.object({ item_id: z.string(), filename: z.string() })),
});

const UploadTicket = z.object({ upload_url: z.string(), headers: z.record(z.string(), z.string()) });

const JobView = z.object({
  job_id: z.string(),
  status: z.string(),
  items: z.array(
    z.object({
      item_id: z.string(),
      filename: z.string(),
      status: z.string(),
      error: z.object({ class: z.string(), message: z.string() }).nullable(),
      ai_metadata: z.looseObject({ seconds: z.record(z.string(), z.number()).default({}) }),
      urls: z.object({ bg_removed: z.url().nullable(), placed: z.url().nullable() }),
      exports: z.array(z.object({ name: z.string(), url: z.url() })),
    }),
  ),
});
export type JobView = z.infer<typeof JobView>;

export interface Photo {
  readonly filename: string;
  readonly contentType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface TenantOptions {
  readonly baseUrl: string;
  readonly tenant: string;
  readonly apiKey: string;
  /** Gets the calls for the job and its first photo as curl lines; the key is left as $OPAL_KEY. */
  readonly onCall?: (curl: string) => void;
}

export class Tenant {
  readonly #options: TenantOptions;
  #isShown = true;

  constructor(options: TenantOptions) {
    this.#options = options;
  }

  /** Creates a job, uploads every photo and says so. Returns the job as created. */
  async submit(brandProfileId: string, photos: readonly Photo[]): Promise<z.infer<typeof CreatedJob>> {
    const tenant_id = this.#options.tenant;
    const job = CreatedJob.parse(
      await this.#post("/v1/jobs", {
        tenant_id,
        brand_profile_id: brandProfileId,
        items: photos.map(({ filename }) => ({ filename })),
      }),
    );
    for (const [index, item] of job.items.entries()) {
      const photo = photos[index];
      if (!photo) throw new Error(`the api answered with more items than were asked for: ${item.filename}`);
      const upload = { tenant_id, job_id: job.job_id, item_id: item.item_id, filename: item.filename };
      const ticket = UploadTicket.parse(
        await this.#post("/v1/uploads/sas", { ...upload, content_type: photo.contentType }),
      );
      await this.#put(ticket, photo);
      await this.#post("/v1/uploads/complete", upload);
      this.#isShown = false; // the other photos' calls look the same
    }
    return job;
  }

  async job(jobId: string): Promise<JobView> {
    return JobView.parse(await this.#call("GET", `/v1/jobs/${jobId}`));
  }

  #show(curl: string): void {
    if (this.#isShown) this.#options.onCall?.(curl);
  }

  #post(path: string, body: unknown): Promise<unknown> {
    return this.#call("POST", path, body);
  }

  async #put(ticket: z.infer<typeof UploadTicket>, photo: Photo): Promise<void> {
    const headers = { ...ticket.headers, "content-type": photo.contentType };
    const flags = Object.entries(headers).map(([name, value]) => `-H '${name}: ${value}'`);
    this.#show(`curl -X PUT ${flags.join(" ")} --data-binary @${photo.filename} '${ticket.upload_url}'`);
    const response = await fetch(ticket.upload_url, { method: "PUT", headers, body: photo.bytes });
    if (!response.ok)
      throw new Error(`upload of ${photo.filename}: HTTP ${response.status} ${await response.text()}`);
  }

  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    const url = `${this.#options.baseUrl}${path}`;
    const json = body === undefined ? undefined : JSON.stringify(body);
    const data = json ? ` -H 'content-type: application/json' -d '${json}'` : "";
    if (method !== "GET") {
      this.#show(`curl -X ${method} -H "authorization: Bearer $OPAL_KEY"${data} ${url}`);
    }
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${this.#options.apiKey}`,
        ...(json && { "content-type": "application/json" }),
      },
      ...(json && { body: json }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: HTTP ${response.status} ${await response.text()}`);
    return response.json();
  }
}
