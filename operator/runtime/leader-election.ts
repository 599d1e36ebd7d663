import * as z from "zod";
import type { ApiClient, Resource, WritePermit } from "./api-client.ts";
import { type Clock, sleep } from "./clock.ts";
import { isStatus, LeadershipLostError } from "./errors.ts";
import type { Log } from "./log.ts";

/**
 * One leader among several processes, by a Lease. The holder must renew it; another takes it over only after
 * having watched it stay unrenewed for its whole duration, by its own monotonic clock, so clocks need not
 * agree. The holder in turn counts itself out `renewSeconds` after it *sent* its last good renewal: that is
 * earlier than anybody may take over, and the difference is the time that a write on its way has to end.
 */
export interface Leadership {
  /**
   * For one write of this term. Its signal is aborted when a write that is still on its way could meet another leader's.
   *
   * @throws {LeadershipLostError} when this process does not lead (any more), then and when the permit is asked
   */
  permit(): WritePermit;
  readonly isHeld: boolean;
}

export interface LeaseSettings {
  readonly resource: Resource;
  readonly name: string;
  /** Unique to this process. */
  readonly identity: string;
  readonly durationSeconds: number;
  /** Leading ends so long after the last good renewal; shorter than the duration. */
  readonly renewSeconds: number;
  /** Time between renewals, and between looks at somebody else's lease. */
  readonly retrySeconds: number;
}

export interface ElectionDeps {
  /**
   * A client whose gate is open: leases are written by those who do not lead yet. Its requests should take no longer than
   * `patienceMs`, so that the one after a silent connection is made on a new one.
   */
  readonly client: Pick<ApiClient, "get" | "create" | "update">;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long one request for the lease may take: it must not use up the time of the next ones. */
export function patienceMs({ renewSeconds }: Pick<LeaseSettings, "renewSeconds">): number {
  return (renewSeconds * 1000) / 3;
}

export interface Election extends Leadership {
  /**
   * Stands for election until `signal` is aborted, then gives the lease back. Calls `lead` whenever this
   * process becomes leader; its signal is aborted when it no longer is.
   */
  run(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void>;
}

const Lease = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string() }),
  spec: z
    .looseObject({
      holderIdentity: z.string().nullish(),
      leaseDurationSeconds: z.number().nullish(),
      acquireTime: z.string().nullish(),
      renewTime: z.string().nullish(),
      leaseTransitions: z.number().nullish(),
    })
    .default({}),
});
type Lease = z.infer<typeof Lease>;
type Outcome = "held" | "taken" | "failed";

export function createElection(settings: LeaseSettings, deps: ElectionDeps): Election {
  return new LeaseElection(settings, deps);
}

class LeaseElection implements Election {
  readonly #settings: LeaseSettings;
  readonly #deps: ElectionDeps;
  /** Monotonic moment until which this process leads; in the past when it does not. */
  #heldUntilMs = -Infinity;
  #writes = AbortSignal.abort();
  /** The lease as last seen, and since when it has looked so. */
  #seen: { version: string; sinceMs: number } | undefined;

  constructor(settings: LeaseSettings, deps: ElectionDeps) {
    this.#settings = settings;
    this.#deps = deps;
  }

  get isHeld(): boolean {
    return this.#deps.clock.monotonicMs() < this.#heldUntilMs;
  }

  permit(): WritePermit {
    const signal = this.#writes;
    const assertValid = () => {
      if (signal.aborted || !this.isHeld) {
        throw new LeadershipLostError(`${this.#settings.identity} does not lead`);
      }
    };
    assertValid();
    return { signal, assertValid };
  }

  async run(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    const { identity, retrySeconds, name } = this.#settings;
    while (!signal.aborted) {
      if ((await this.#within(patienceMs(this.#settings), this.#tryHold())) !== "held") {
        await sleep(clock, retrySeconds * 1000, signal);
        continue;
      }
      log.info({ lease: name, identity }, "leading");
      const term = new AbortController();
      const writes = new AbortController();
      this.#writes = writes.signal;
      const ended = new AbortController();
      const leading = lead(AbortSignal.any([term.signal, signal]))
        .catch((error: unknown) => log.error({ lease: name, error }, "leading failed"))
        .finally(() => ended.abort());
      await this.#keepRenewing(AbortSignal.any([signal, ended.signal]));
      term.abort();
      if (!signal.aborted) log.warn({ lease: name, identity }, "leadership lost");
      // What is on its way may end until the lease could be taken over, not longer.
      const cancel = clock.setTimer(this.#msToTakeOver(), () => writes.abort());
      await leading;
      cancel();
      writes.abort();
      if (!signal.aborted && this.isHeld) await this.#yield(signal);
    }
    await this.#within(patienceMs(this.#settings), this.#release());
  }

  /** Who holds the lease and does not lead would keep everybody from it: another shall have it, if there is one. */
  async #yield(signal: AbortSignal): Promise<void> {
    await this.#within(patienceMs(this.#settings), this.#release());
    await sleep(this.#deps.clock, 2 * this.#settings.retrySeconds * 1000, signal);
  }

  async #keepRenewing(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const untilLostMs = () => this.#heldUntilMs - clock.monotonicMs();
    while (!signal.aborted && this.isHeld) {
      await sleep(clock, Math.min(this.#settings.retrySeconds * 1000, untilLostMs()), signal);
      if (signal.aborted || !this.isHeld) return;
      const outcome = await this.#within(
        Math.min(untilLostMs(), patienceMs(this.#settings)),
        this.#tryHold(),
      );
      if (outcome === "taken") this.#heldUntilMs = -Infinity;
    }
  }

  async #within<T>(ms: number, trying: Promise<T>): Promise<T | "late"> {
    const late = Promise.withResolvers<"late">();
    const cancel = this.#deps.clock.setTimer(ms, () => late.resolve("late"));
    const outcome = await Promise.race([trying, late.promise]);
    cancel();
    return outcome;
  }

  /** Takes or renews the lease. */
  async #tryHold(): Promise<Outcome> {
    const { clock, log, client } = this.#deps;
    const { resource, name, renewSeconds } = this.#settings;
    const sentMs = clock.monotonicMs();
    try {
      const lease = await this.#readLease();
      if (lease && !this.#isFree(lease)) return "taken";
      const next = this.#claim(lease);
      const answer = lease ? await client.update(resource, name, next) : await client.create(resource, next);
      this.#notice(Lease.parse(answer));
      this.#heldUntilMs = Math.max(this.#heldUntilMs, sentMs + renewSeconds * 1000);
      return "held";
    } catch (error) {
      // Somebody else was quicker: seen on the next look.
      if (!isStatus(error, 409)) log.warn({ lease: name, error }, "the lease cannot be taken or renewed");
      return "failed";
    }
  }

  async #readLease(): Promise<Lease | undefined> {
    try {
      const lease = Lease.parse(await this.#deps.client.get(this.#settings.resource, this.#settings.name));
      this.#notice(lease);
      return lease;
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  #notice({ metadata: { resourceVersion: version } }: Lease): void {
    if (this.#seen?.version !== version) this.#seen = { version, sinceMs: this.#deps.clock.monotonicMs() };
  }

  #isFree({ spec }: Lease): boolean {
    const holder = spec.holderIdentity ?? "";
    if (holder === "" || holder === this.#settings.identity) return true;
    const seconds = Math.max(spec.leaseDurationSeconds ?? 0, this.#settings.durationSeconds);
    const sinceMs = this.#seen?.sinceMs ?? this.#deps.clock.monotonicMs();
    return this.#deps.clock.monotonicMs() - sinceMs > seconds * 1000;
  }

  #claim(lease: Lease | undefined): object {
    const { resource, name, identity, durationSeconds } = this.#settings;
    const now = this.#deps.clock.now().toISOString().replace("Z", "000Z");
    const isOurs = lease?.spec.holderIdentity === identity;
    return {
      apiVersion: `${resource.group}/${resource.version}`,
      kind: "Lease",
      metadata: lease?.metadata ?? { name, namespace: resource.namespace },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: durationSeconds,
        acquireTime: isOurs ? (lease.spec.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions: (lease?.spec.leaseTransitions ?? 0) + (isOurs || !lease ? 0 : 1),
      },
    };
  }

  #msToTakeOver(): number {
    const { durationSeconds, renewSeconds } = this.#settings;
    const lastRenewalMs = this.#heldUntilMs - renewSeconds * 1000;
    return Math.max(0, lastRenewalMs + durationSeconds * 1000 - this.#deps.clock.monotonicMs());
  }

  /** Lets the next leader start at once instead of after the lease's duration. */
  async #release(): Promise<void> {
    const { client, log } = this.#deps;
    const { resource, name, identity } = this.#settings;
    this.#heldUntilMs = -Infinity;
    try {
      const lease = await this.#readLease();
      if (lease?.spec.holderIdentity !== identity) return;
      await client.update(resource, name, {
        apiVersion: `${resource.group}/${resource.version}`,
        kind: "Lease",
        metadata: lease.metadata,
        spec: { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1 },
      });
    } catch (error) {
      log.warn({ lease: name, error }, "the lease was not given back: it runs out by itself");
    }
  }
}
