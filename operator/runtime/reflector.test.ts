import { afterEach, describe, expect, it } from "vitest";
import { ApiStatusError } from "./errors.ts";
import { createReflector, type ReflectorSource, type RestartReason } from "./reflector.ts";
import { Store } from "./store.ts";
import { createFakeClock, type FakeClock } from "./testing.ts";

/** A server whose watches a test feeds line by line and ends as it likes. */
class FakeServer implements ReflectorSource {
  objects: object[] = [];
  version = 10;
  lists = 0;
  listError: unknown;
  watchError: unknown;
  readonly watches: FakeWatch[] = [];

  async list({ continueToken, limit }: { continueToken: string | undefined; limit: number }) {
    this.lists++;
    if (this.listError !== undefined) throw this.listError;
    const from = Number(continueToken ?? 0);
    const isMore = from + limit < this.objects.length;
    return {
      items: structuredClone(this.objects.slice(from, from + limit)),
      resourceVersion: String(this.version),
      continueToken: isMore ? String(from + limit) : undefined,
    };
  }

  async watch({ resourceVersion, signal }: { resourceVersion: string; signal: AbortSignal }) {
    if (this.watchError !== undefined) throw this.watchError;
    const watch = new FakeWatch(resourceVersion, signal);
    this.watches.push(watch);
    return watch;
  }

  get latest(): FakeWatch {
    return this.watches.at(-1) as FakeWatch;
  }
}

class FakeWatch implements AsyncIterable<Buffer> {
  readonly from: string;
  readonly #chunks: (Buffer | Error | "end")[] = [];
  #wake = () => {};

  constructor(from: string, signal: AbortSignal) {
    this.from = from;
    signal.addEventListener("abort", () => this.break(new Error("aborted")));
  }

  send(type: string, object: unknown): void {
    this.bytes(`${JSON.stringify({ type, object })}\n`);
  }
  bytes(bytes: string | Buffer): void {
    this.#push(Buffer.from(bytes));
  }
  break(error: Error): void {
    this.#push(error);
  }
  end(): void {
    this.#push("end");
  }
  #push(chunk: Buffer | Error | "end"): void {
    this.#chunks.push(chunk);
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk === "end") return;
      if (chunk instanceof Error) throw chunk;
      if (chunk) yield chunk;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

const object = (name: string, version: number, more: object = {}) => ({
  metadata: {
    name,
    namespace: "n",
    uid: `uid-${name}`,
    resourceVersion: String(version),
    managedFields: [{}],
    ...more,
  },
});

let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

async function aReflector(server = new FakeServer(), { pageLimit = 500, staleMs = 60_000 } = {}) {
  const clock: FakeClock = createFakeClock();
  const store = new Store<{ metadata: { name: string; resourceVersion: string } }>({});
  const restarts: { why: RestartReason; waitMs: number }[] = [];
  const skipped: string[] = [];
  const reflector = createReflector({
    source: server,
    target: store,
    transform(raw) {
      const value = raw as { metadata: { name: string; resourceVersion: string; bad?: boolean } };
      if (value.metadata.bad) throw new Error("cannot be read");
      return value;
    },
    observer: {
      listed() {},
      restarted: ({ why, waitMs }) => restarts.push({ why, waitMs }),
      skipped: ({ key }) => skipped.push(key),
    },
    clock,
    random: () => 0.5,
    backoff: { baseMs: 200, maxMs: 10_000 },
    staleMs,
    pageLimit,
  });
  void reflector.run(AbortSignal.any([stop.signal]));
  await clock.advance(0);
  const names = () => store.values().map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`);
  return { server, clock, store, restarts, skipped, reflector, names };
}

describe("the reflector", () => {
  it("does not read what an own write has brought already", async () => {
    const { server, clock, store, skipped } = await aReflector();
    const written = object("a", 12);
    store.written({ key: "n/a", uid: "uid-a", resourceVersion: "12", value: written });
    server.latest.send("ADDED", object("a", 11, { bad: true }));
    server.latest.send("MODIFIED", object("a", 12, { bad: true }));
    await clock.advance(0);
    expect(skipped).toEqual([]);
    expect(store.get("n/a")).toBe(written);
    server.latest.send("MODIFIED", object("a", 13));
    await clock.advance(0);
    expect(store.get("n/a")?.metadata.resourceVersion).toBe("13");
  });

  it("lists page by page, then watches from the list's version", async () => {
    const server = new FakeServer();
    server.objects = Array.from({ length: 5 }, (_, n) => object(`o${n}`, n + 1));
    const { reflector, names } = await aReflector(server, { pageLimit: 2 });
    await reflector.synced;
    expect(server.lists).toBe(3);
    expect(names()).toHaveLength(5);
    expect(server.latest.from).toBe("10");
  });

  it("follows additions, changes and deletions, and strips what only writers need", async () => {
    const { server, clock, store, names } = await aReflector();
    server.latest.send("ADDED", object("a", 11));
    server.latest.send("ADDED", object("b", 12));
    const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";
    const annotations = { [lastApplied]: "{}", kept: "yes" };
    server.latest.send("MODIFIED", object("a", 13, { annotations }));
    server.latest.send("DELETED", object("b", 14));
    await clock.advance(0);
    expect(names()).toEqual(["a@13"]);
    expect(store.get("n/a")?.metadata).not.toHaveProperty("managedFields");
    expect(store.get("n/a")?.metadata).toMatchObject({ annotations: { kept: "yes" } });
    expect(store.get("n/a")?.metadata).not.toHaveProperty(["annotations", lastApplied]);
  });

  it("reads events that arrive in pieces", async () => {
    const { server, clock, names } = await aReflector();
    const bytes = Buffer.from(`${JSON.stringify({ type: "ADDED", object: object("é", 11) })}\n`);
    const insideOfLetter = bytes.indexOf(Buffer.from("é")) + 1;
    for (const piece of [
      bytes.subarray(0, 5),
      bytes.subarray(5, insideOfLetter),
      bytes.subarray(insideOfLetter),
    ]) {
      server.latest.bytes(piece);
      await clock.advance(0);
    }
    expect(names()).toEqual(["é@11"]);
  });

  it("goes on from a bookmark after a clean end, without a new list", async () => {
    const { server, clock, restarts } = await aReflector();
    server.latest.send("BOOKMARK", { metadata: { resourceVersion: "99" } });
    await clock.advance(10_000);
    server.latest.end();
    await clock.advance(1000);
    expect(server.lists).toBe(1);
    expect(server.latest.from).toBe("99");
    expect(restarts).toEqual([{ why: "closed", waitMs: 150 }]);
  });

  it.each([
    ["a reset connection", (watch: FakeWatch) => watch.break(new Error("ECONNRESET")), "broken"],
    ["a line that is no JSON", (watch: FakeWatch) => watch.bytes("{oops\n"), "broken"],
    ["an event that is none", (watch: FakeWatch) => watch.bytes(`{"type":"HELLO"}\n`), "broken"],
    ["a server error event", (watch: FakeWatch) => watch.send("ERROR", { code: 500 }), "server-error"],
    ["a clean close", (watch: FakeWatch) => watch.end(), "closed"],
  ] as const)("watches on after %s, and misses nothing", async (_what, end, why) => {
    const { server, clock, names, restarts } = await aReflector();
    server.latest.send("ADDED", object("a", 11));
    await clock.advance(0);
    end(server.latest);
    await clock.advance(1000);
    expect(restarts.map((restart) => restart.why)).toEqual([why]);
    expect(server.latest.from).toBe("11");
    server.latest.send("ADDED", object("b", 12));
    await clock.advance(0);
    expect(names()).toEqual(["a@11", "b@12"]);
  });

  it.each([
    ["an error event", false],
    ["an error answer", true],
  ])(
    "lists anew when its version has expired, told by %s, and delivers the deletions",
    async (_how, asAnswer) => {
      const server = new FakeServer();
      server.objects = [object("a", 1), object("b", 2)];
      const { clock, names, restarts } = await aReflector(server);
      server.objects = [object("b", 20)];
      server.version = 30;
      if (asAnswer) {
        server.watchError = new ApiStatusError({ status: 410, reason: "Expired", message: "" });
        server.latest.end();
        await clock.advance(200);
        server.watchError = undefined;
      } else {
        server.latest.send("ERROR", { code: 410, reason: "Expired" });
      }
      await clock.advance(1000);
      expect(restarts.at(-1)?.why).toBe("expired");
      expect(server.lists).toBe(2);
      expect(names()).toEqual(["b@20"]);
      expect(server.latest.from).toBe("30");
    },
  );

  it("begins a list anew whose next page has expired, and shows nothing of it until it is whole", async () => {
    const server = new FakeServer();
    server.objects = Array.from({ length: 4 }, (_, n) => object(`o${n}`, n + 1));
    const list = server.list.bind(server);
    server.list = async (page) => {
      if (page.continueToken !== undefined && server.lists === 1) {
        server.lists++;
        throw new ApiStatusError({ status: 410, reason: "Expired", message: "" });
      }
      return list(page);
    };
    const { clock, names, reflector } = await aReflector(server, { pageLimit: 2 });
    expect(names()).toEqual([]);
    expect(reflector.isSynced).toBe(false);
    await clock.advance(1000);
    expect(names()).toHaveLength(4);
    expect(server.latest.from).toBe("10");
  });

  it("does not list over and over when every version has expired at once", async () => {
    const { server, clock } = await aReflector();
    server.watchError = new ApiStatusError({ status: 410, reason: "Expired", message: "" });
    server.latest.end();
    await clock.advance(60_000);
    expect(server.lists).toBeLessThan(20);
  });

  it("waits as long as a throttling server asks", async () => {
    const { server, clock, restarts } = await aReflector();
    server.watchError = new ApiStatusError({ status: 429, reason: "", message: "", retryAfterMs: 7000 });
    server.latest.end();
    await clock.advance(1000);
    expect(restarts.at(-1)).toMatchObject({ why: "throttled" });
    expect(restarts.at(-1)?.waitMs).toBeGreaterThanOrEqual(7000);
    server.watchError = undefined;
    await clock.advance(8000);
    expect(server.watches).toHaveLength(2);
  });

  it("waits longer with each failure in a row, up to a limit, and lists anew after some", async () => {
    const { server, clock, restarts } = await aReflector();
    server.watchError = new ApiStatusError({ status: 503, reason: "", message: "" });
    server.latest.break(new Error("ECONNRESET"));
    await clock.advance(120_000);
    const waits = restarts.map((restart) => Math.round(restart.waitMs));
    expect(waits.slice(0, 8)).toEqual([150, 300, 600, 1200, 2400, 4800, 7500, 7500]);
    expect(server.lists).toBeGreaterThan(1);
    server.watchError = undefined;
    await clock.advance(10_000);
    expect(server.watches).toHaveLength(2);
  });

  it("does not count as synced until a list succeeds", async () => {
    const server = new FakeServer();
    server.listError = new Error("ECONNREFUSED");
    const { reflector, clock } = await aReflector(server);
    await clock.advance(5000);
    expect(reflector.isSynced).toBe(false);
    server.listError = undefined;
    await clock.advance(10_000);
    expect(reflector.isSynced).toBe(true);
  });

  it("takes a silent watch for dead, and a bookmark for a sign of life", async () => {
    const { server, clock, restarts } = await aReflector();
    await clock.advance(50_000);
    server.latest.send("BOOKMARK", { metadata: { resourceVersion: "12" } });
    await clock.advance(50_000);
    expect(restarts).toEqual([]);
    await clock.advance(15_000);
    expect(restarts.map((restart) => restart.why)).toEqual(["stale"]);
    expect(server.latest.from).toBe("12");
  });

  it("does not wait long after a watch that was waited for until it was stale", async () => {
    const { clock, restarts } = await aReflector(new FakeServer(), { staleMs: 2000 });
    await clock.advance(9000);
    expect(restarts.map(({ why, waitMs }) => `${why} ${waitMs}`)).toEqual(Array(4).fill("stale 150"));
  });

  it("skips an object that it cannot read, forgets what it knew of it, and goes on", async () => {
    const server = new FakeServer();
    server.objects = [object("a", 1), object("bad", 2, { bad: true })];
    const { clock, skipped, names } = await aReflector(server);
    server.latest.send("MODIFIED", object("a", 11, { bad: true }));
    server.latest.send("ADDED", object("c", 12));
    await clock.advance(0);
    expect(skipped).toEqual(["n/bad", "n/a"]);
    expect(names()).toEqual(["c@12"]);
  });

  it("stops when told to, also while it waits", async () => {
    const server = new FakeServer();
    server.listError = new Error("ECONNREFUSED");
    const { clock } = await aReflector(server);
    stop.abort();
    await clock.advance(60_000);
    expect(server.lists).toBe(1);
    expect(clock.timers).toBe(0);
  });
});
