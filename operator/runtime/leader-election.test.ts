import { afterEach, describe, expect, it } from "vitest";
import { LeadershipLostError } from "./errors.ts";
import { createElection } from "./leader-election.ts";
import { createFakeClock, FakeApi, silentLog } from "./testing.ts";

const resource = { group: "coordination.k8s.io", version: "v1", plural: "leases", namespace: "n" };
const times = { durationSeconds: 15, renewSeconds: 10, retrySeconds: 2 };

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve()));

/** Candidates for one lease, each behind a network that can be cut or made to hang. */
function anElection() {
  const clock = createFakeClock();
  const api = new FakeApi(clock);
  const terms: string[] = [];
  const stops: AbortController[] = [];

  function stand(identity: string, work = untilAborted) {
    const network = { isCut: false, hangs: false };
    const through =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        if (network.isCut) throw new Error("ECONNREFUSED");
        if (network.hangs) return new Promise(() => {});
        return call(...args);
      };
    const client = {
      get: through(api.get.bind(api)),
      create: through(api.create.bind(api)),
      update: through(api.update.bind(api)),
    };
    const election = createElection(
      { resource, name: "lease", identity, ...times },
      { client, clock, log: silentLog },
    );
    const stop = new AbortController();
    stops.push(stop);
    const done = election.run(async (signal) => {
      terms.push(`${identity} leads`);
      await work(signal);
      terms.push(`${identity} stops`);
    }, stop.signal);
    return { election, network, stop, done };
  }
  return { clock, api, terms, stand, stops };
}

let stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops) stop.abort();
});

function aScene() {
  const scene = anElection();
  ({ stops } = scene);
  return scene;
}

describe("the election", () => {
  it("has one leader, who keeps renewing", async () => {
    const { clock, stand, terms } = aScene();
    const a = stand("a");
    await clock.advance(100);
    const b = stand("b");
    await clock.advance(300_000);
    expect(terms).toEqual(["a leads"]);
    expect([a.election.isHeld, b.election.isHeld]).toEqual([true, false]);
    expect(() => b.election.permit()).toThrow(LeadershipLostError);
  });

  it("hands over at once when the leader stops in order", async () => {
    const { clock, stand, terms } = aScene();
    const a = stand("a");
    await clock.advance(100);
    stand("b");
    await clock.advance(10_000);
    a.stop.abort();
    await clock.advance(0);
    await a.done;
    await clock.advance(2100);
    expect(terms).toEqual(["a leads", "a stops", "b leads"]);
  });

  it("hands over within the lease and one retry after the leader died", async () => {
    const { clock, stand, terms } = aScene();
    const a = stand("a");
    await clock.advance(100);
    const b = stand("b");
    await clock.advance(10_000);
    a.network.hangs = true;
    await clock.advance(17_000);
    expect(terms).toContain("b leads");
    expect(b.election.isHeld).toBe(true);
  });

  it("hands over in time although the standby's requests hang now and then", async () => {
    const { clock, stand, terms } = aScene();
    const a = stand("a");
    await clock.advance(100);
    const b = stand("b");
    await clock.advance(10_000);
    b.network.hangs = true;
    await clock.advance(2100);
    b.network.hangs = false;
    a.network.isCut = true;
    // The hung look and the wait after it, then the lease and a last wait.
    await clock.advance(3400 + 2000 + 15_000 + 2000);
    expect(terms).toContain("b leads");
  });

  it("gives the lease to another when its own leading fails", async () => {
    const { clock, stand, terms } = aScene();
    stand("a", () => Promise.reject(new Error("a bug")));
    await clock.advance(100);
    stand("b");
    await clock.advance(10_000);
    expect(terms).toEqual(["a leads", "b leads"]);
  });

  it("tries again itself when leading failed and there is nobody else", async () => {
    const { clock, stand, terms } = aScene();
    stand("a", () => Promise.reject(new Error("a bug")));
    await clock.advance(20_000);
    expect(terms.length).toBeGreaterThan(2);
    expect(terms.length).toBeLessThan(8);
  });

  it("stops in order although the lease cannot be given back", async () => {
    const { clock, stand } = aScene();
    const a = stand("a");
    await clock.advance(100);
    a.network.hangs = true;
    a.stop.abort();
    await clock.advance(10_000);
    await a.done;
  });

  it.each(["isCut", "hangs"] as const)(
    "never has two leaders when the leader's network %s",
    async (fault) => {
      const { clock, stand, terms } = aScene();
      const a = stand("a");
      await clock.advance(100);
      const b = stand("b");
      await clock.advance(7000);
      const permit = a.election.permit();
      a.network[fault] = true;
      for (let tick = 0; tick < 600; tick++) {
        await clock.advance(50);
        expect(a.election.isHeld && b.election.isHeld).toBe(false);
        if (b.election.isHeld) expect(permit.signal.aborted).toBe(true);
      }
      expect(terms).toEqual(["a leads", "a stops", "b leads"]);
    },
  );

  it("leads again when the API server comes back and nobody else has taken over", async () => {
    const { clock, stand, terms } = aScene();
    const a = stand("a");
    await clock.advance(100);
    const permit = a.election.permit();
    a.network.isCut = true;
    await clock.advance(60_000);
    a.network.isCut = false;
    await clock.advance(2100);
    expect(terms).toEqual(["a leads", "a stops", "a leads"]);
    expect(a.election.isHeld).toBe(true);
    expect(() => a.election.permit().assertValid()).not.toThrow();
    // What was decided in the first term is not written in the second.
    expect(permit.assertValid).toThrow(LeadershipLostError);
  });

  it("does not trust the renewal times of a clock that is wrong", async () => {
    const { clock, api, stand, terms } = aScene();
    const a = stand("a");
    await clock.advance(100);
    stand("b");
    for (let n = 0; n < 20; n++) {
      await clock.advance(2000);
      api.mutate("leases", "lease", (lease) =>
        Object.assign(lease.spec ?? {}, { renewTime: "2001-01-01T00:00:00Z" }),
      );
    }
    expect(terms).toEqual(["a leads"]);
    expect(a.election.isHeld).toBe(true);
  });

  it("stops leading when somebody else holds the lease", async () => {
    const { clock, api, stand, terms } = aScene();
    stand("a");
    await clock.advance(100);
    api.mutate("leases", "lease", (lease) => Object.assign(lease.spec ?? {}, { holderIdentity: "thief" }));
    await clock.advance(2100);
    expect(terms).toEqual(["a leads", "a stops"]);
  });
});
