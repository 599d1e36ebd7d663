import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FOLDER_CATALOGUE, type FolderEntry } from "../folder-catalogue.ts";
import { diskSource } from "./disk-source.ts";
import { LOCK_FILE, parseLock } from "./folder-lock.ts";
import { type Fetching, httpSource } from "./http-source.ts";
import { type Pull, pullFolder, type PullProgress } from "./pull-folder.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "opal-pull-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
/** Differs everywhere, so that joining it wrongly shows. */
const content = (length: number, seed: number) =>
  Buffer.from(Uint8Array.from({ length }, (_, i) => (i * i + i * 7 + seed * 31 + (i >> 8)) & 0xff));

const ENTRY: FolderEntry = {
  ...FOLDER_CATALOGUE[0]!,
  name: "test-model",
  files: [
    { path: "model_index.json", required: true },
    { path: "unet/model.onnx", required: true },
    { path: "unet/weights.pb", required: false },
    { path: "unet/config.json", required: false },
  ],
};

const FILES: Record<string, Buffer> = {
  "model_index.json": Buffer.from("{}"),
  "unet/model.onnx": content(100_000, 1),
  "unet/config.json": Buffer.alloc(0),
};

interface Manners {
  readonly files?: Record<string, Buffer>;
  readonly ranges?: boolean;
  readonly etag?: (path: string) => string | undefined;
  /** Of the nth answer to unet/model.onnx only so many bytes are sent. */
  readonly cut?: (nth: number) => number | undefined;
  /** Status in place of the nth answer. */
  readonly status?: (nth: number, path: string) => number | undefined;
}

interface Served {
  readonly url: string;
  readonly asked: { readonly path: string; readonly range: string | undefined }[];
  /** Most answers that were under way at once. */
  atOnce: number;
}

const servers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of servers.splice(0)) await close();
});

function rangeOf(header: string | undefined, length: number): readonly [number, number] | undefined {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(header ?? "") ?? [];
  return from === undefined ? undefined : [Number(from), Math.min(length, Number(to) + 1)];
}

const GOOD_MANNERS: Required<Pick<Manners, "ranges" | "etag" | "files">> = {
  ranges: true,
  etag: () => '"v1"',
  files: FILES,
};

interface Asking {
  readonly request: IncomingMessage;
  readonly path: string;
  /** Which of the requests for unet/model.onnx it is. */
  readonly nth: number;
}

function respond(response: ServerResponse, { request, path, nth }: Asking, manners: Manners): void {
  const { ranges, etag, files } = { ...GOOD_MANNERS, ...manners };
  const bytes = files[path];
  const status = manners.status?.(nth, path);
  if (!bytes || status !== undefined) return void response.writeHead(status ?? 404).end();
  const tag = etag(path);
  if (tag !== undefined) response.setHeader("etag", tag);
  const range = ranges ? rangeOf(request.headers.range, bytes.length) : undefined;
  if (range) respondPart(response, bytes, range, manners.cut?.(nth));
  else response.writeHead(200, { "content-length": bytes.length }).end(bytes);
}

function respondPart(
  response: ServerResponse,
  bytes: Buffer,
  [from, to]: readonly [number, number],
  cut: number | undefined,
): void {
  if (from >= bytes.length) {
    response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
    return;
  }
  const part = bytes.subarray(from, to);
  const contentRange = `bytes ${from}-${to - 1}/${bytes.length}`;
  response.writeHead(206, { "content-range": contentRange, "content-length": part.length });
  if (cut === undefined || part.length === 1) response.end(part);
  else response.write(part.subarray(0, cut), () => response.destroy());
}

async function serve(manners: Manners = {}): Promise<Served> {
  const served: Served = { url: "", asked: [], atOnce: 0 };
  let underWay = 0;
  let nth = 0;
  const server = createServer((request, response) => {
    const path = (request.url ?? "").replace("/models/", "");
    served.asked.push({ path, range: request.headers.range });
    served.atOnce = Math.max(served.atOnce, ++underWay);
    response.once("close", () => underWay--);
    if (path === "unet/model.onnx") nth++;
    // Answers wait a turn, so that what is asked for at once is seen at once.
    const asking = { request, path, nth };
    setImmediate(() => respond(response, asking, manners));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return Object.assign(served, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/models` });
}

const FETCHING: Fetching = { streams: 4, rangeBytes: 9000, pauseMilliseconds: [1, 1] };
const models = () => join(dir, "models");

const pull = (url: string, more: Partial<Pull> = {}) =>
  pullFolder({ entry: ENTRY, source: httpSource(url, FETCHING), from: url, dir: models(), ...more });

async function expectWhole(files: Record<string, Buffer> = FILES): Promise<void> {
  for (const [path, bytes] of Object.entries(files)) {
    expect((await readFile(join(models(), "test-model", path))).equals(bytes)).toBe(true);
  }
  expect(await readdir(models())).toEqual(["test-model"]);
}

const expectNothing = async () => expect(await readdir(models()).catch(() => [])).not.toContain("test-model");

describe("pulling from a server", () => {
  it("brings every file in ranges, several at once, and writes what it got", async () => {
    const served = await serve();
    const seen: PullProgress[] = [];
    const { folder, lock, wasThere } = await pull(served.url, { onProgress: (now) => seen.push(now) });
    await expectWhole();
    expect(wasThere).toBe(false);
    expect(served.atOnce).toBeGreaterThan(1);
    expect(served.asked.filter(({ path }) => path === "unet/model.onnx")).toHaveLength(
      1 + Math.ceil(100_000 / 9000),
    );
    expect(parseLock(await readFile(join(folder, LOCK_FILE), "utf8"))).toEqual(lock);
    expect(lock).toMatchObject({ name: "test-model", pulledFrom: served.url });
    expect(lock.files["unet/model.onnx"]).toEqual({
      bytes: 100_000,
      sha256: sha256(FILES["unet/model.onnx"]!),
    });
    expect(Object.keys(lock.files)).toEqual(["model_index.json", "unet/model.onnx", "unet/config.json"]);
    expect(seen.at(-1)).toEqual({ path: "unet/config.json", bytes: 100_002, totalBytes: 100_002 });
    expect(seen.every(({ bytes }, i) => i === 0 || bytes >= (seen[i - 1]?.bytes ?? 0))).toBe(true);
  });

  it("does nothing the second time", async () => {
    const served = await serve();
    await pull(served.url);
    const before = served.asked.length;
    expect(await pull(served.url)).toMatchObject({ wasThere: true });
    expect(served.asked).toHaveLength(before);
  });

  it("goes on after a cut, and asks for nothing twice that came", async () => {
    const cut = await serve({ cut: (nth) => (nth > 5 ? 100 : undefined) });
    await expect(pull(cut.url)).rejects.toThrow("breaks off again and again");
    await expectNothing();
    const served = await serve();
    const seen: PullProgress[] = [];
    await pull(served.url, { onProgress: (now) => seen.push(now) });
    await expectWhole();
    const asked = served.asked.filter(
      ({ path, range }) => path === "unet/model.onnx" && range !== "bytes=0-0",
    );
    expect(asked.length).toBeLessThan(Math.ceil(100_000 / 9000));
    expect(asked.every(({ range }) => !range?.startsWith("bytes=0-"))).toBe(true);
    expect(seen.find(({ path }) => path === "unet/model.onnx")?.bytes).toBeGreaterThan(9000);
  });

  it("takes a range again that broke off", async () => {
    const served = await serve({ cut: (nth) => (nth === 3 ? 100 : undefined) });
    await pull(served.url);
    await expectWhole();
  });

  it("never joins two versions of a file", async () => {
    const cut = await serve({ cut: (nth) => (nth > 5 ? 100 : undefined) });
    await expect(pull(cut.url)).rejects.toThrow("breaks off");
    const files = { ...FILES, "unet/model.onnx": content(100_000, 2) };
    await pull((await serve({ files, etag: () => '"v2"' })).url);
    await expectWhole(files);
  });

  it("notices that a file changes while it is read", async () => {
    let answers = 0;
    const served = await serve({
      etag: (path) => (path === "unet/model.onnx" && ++answers > 4 ? '"v2"' : '"v1"'),
    });
    await expect(pull(served.url)).rejects.toThrow("changed while it was read");
    await expectNothing();
  });

  it.each([
    { name: "ranges", manners: { ranges: false } },
    { name: "tags", manners: { etag: () => undefined } },
    { name: "strong tags", manners: { etag: () => 'W/"v1"' } },
  ])("does without $name: in one stream", async ({ manners }) => {
    const served = await serve(manners);
    await pull(served.url);
    await expectWhole();
    const asked = served.asked.filter(({ path }) => path === "unet/model.onnx");
    expect(asked.map(({ range }) => range)).toEqual(["bytes=0-0", undefined]);
  });

  it("tries again when the server is busy, and says what it answers in the end", async () => {
    await pull((await serve({ status: (nth) => (nth === 2 ? 503 : undefined) })).url);
    await expectWhole();
    await rm(models(), { recursive: true });
    const busy = await serve({
      status: (nth, path) => (path === "unet/model.onnx" && nth > 1 ? 503 : undefined),
    });
    await expect(pull(busy.url)).rejects.toThrow("unet/model.onnx answers 503");
    await expectNothing();
  });

  it.each([
    [401, "unet/model.onnx answers 401: it is not public"],
    [418, "unet/model.onnx answers 418"],
  ])("says what stands in the way: %i", async (status, message) => {
    const served = await serve({ status: (_, path) => (path === "unet/model.onnx" ? status : undefined) });
    await expect(pull(served.url)).rejects.toThrow(message);
  });

  it("says that nobody answers", async () => {
    await expect(pull("http://127.0.0.1:9/models")).rejects.toThrow("does not answer: is the address right");
  });
});

describe("what is wrong is refused", () => {
  const right = () => sha256(FILES["unet/model.onnx"]!);

  it("another hash than the catalogue's", async () => {
    const files = ENTRY.files.map((file) =>
      file.path === "unet/model.onnx" ? { ...file, sha256: "0".repeat(64) } : file,
    );
    const message = `unet/model.onnx has the wrong content: wanted SHA-256 ${"0".repeat(64)}, got ${right()}`;
    await expect(pull((await serve()).url, { entry: { ...ENTRY, files } })).rejects.toThrow(message);
    await expectNothing();
  });

  it("another hash than the pinned one; what was right before stays for the next time", async () => {
    const bad = await serve({ files: { ...FILES, "unet/model.onnx": content(100_000, 3) } });
    await expect(pull(bad.url, { pins: { "unet/model.onnx": right() } })).rejects.toThrow("wrong content");
    await expectNothing();
    const good = await serve({ etag: (path) => (path === "unet/model.onnx" ? '"v2"' : '"v1"') });
    await pull(good.url, { pins: { "unet/model.onnx": right() } });
    await expectWhole();
  });

  it("a pinned file that is not there", async () => {
    const pins = { "unet/weights.pb": "0".repeat(64) };
    await expect(pull((await serve()).url, { pins })).rejects.toThrow("unet/weights.pb is pinned, but");
    await expectNothing();
  });

  it("a folder that is there with another content than pinned", async () => {
    const served = await serve();
    await pull(served.url);
    const pins = { "unet/model.onnx": "0".repeat(64) };
    await expect(pull(served.url, { pins })).rejects.toThrow("wrong content");
  });

  it("half a folder: all that it lacks is named", async () => {
    const served = await serve({ files: { "unet/config.json": Buffer.from("{}") } });
    await expect(pull(served.url)).rejects.toThrow(
      `${served.url} is no whole test-model: it lacks model_index.json, unet/model.onnx`,
    );
    await expectNothing();
  });

  it("a network without the weights that it keeps elsewhere", async () => {
    const files = { ...FILES, "unet/model.onnx": Buffer.from("location\u0012\u000aweights.pb") };
    const message = "unet/model.onnx keeps its weights in weights.pb, which the source lacks";
    await expect(pull((await serve({ files })).url)).rejects.toThrow(message);
    await expectNothing();
    const whole = { ...files, "unet/weights.pb": content(5000, 4) };
    await pull((await serve({ files: whole })).url);
    await expectWhole(whole);
  });

  it("a folder in its place that was not pulled", async () => {
    await mkdir(join(models(), "test-model"), { recursive: true });
    await expect(pull((await serve()).url)).rejects.toThrow("is there, but was not pulled");
  });
});

describe("pulling from a disk", () => {
  async function folderOf(files: Record<string, Buffer>): Promise<string> {
    const folder = join(dir, "source");
    for (const [path, bytes] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), bytes);
    }
    return folder;
  }

  const pullDisk = (from: string) =>
    pullFolder({ entry: ENTRY, source: diskSource(from), from, dir: models() });

  it("copies and checks, and leaves the source as it is", async () => {
    const folder = await folderOf(FILES);
    const { lock } = await pullDisk(folder);
    await expectWhole();
    expect(lock.pulledFrom).toBe(folder);
    expect(await readFile(join(folder, "unet/model.onnx"))).toEqual(FILES["unet/model.onnx"]);
  });

  it("refuses half a folder, and one that is not there", async () => {
    const folder = await folderOf({ "model_index.json": Buffer.from("{}") });
    await expect(pullDisk(folder)).rejects.toThrow("it lacks unet/model.onnx");
    await expect(pullDisk(join(dir, "nowhere"))).rejects.toThrow("there is no folder");
    await expectNothing();
  });
});

describe("the catalogue of folders", () => {
  it("names each model once, and asks for what every pipeline needs", () => {
    expect(new Set(FOLDER_CATALOGUE.map(({ name }) => name)).size).toBe(FOLDER_CATALOGUE.length);
    for (const { name, files } of FOLDER_CATALOGUE) {
      const required = files.filter((file) => file.required).map(({ path }) => path);
      expect(required).toEqual(
        expect.arrayContaining(["model_index.json", "unet/model.onnx", "vae_decoder/model.onnx"]),
      );
      expect(required.includes("vae_encoder/model.onnx")).toBe(name.includes("inpainting"));
      expect(required.includes("text_encoder_2/model.onnx")).toBe(name.includes("-xl-"));
    }
  });
});
