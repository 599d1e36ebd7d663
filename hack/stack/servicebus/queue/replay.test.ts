/** Whatever happens to a queue, its events tell all of it: a later life is the same queue. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { QueueSettingsInput } from "./settings.ts";
import { QueueOnBench } from "./testing.ts";

type Step = (bench: QueueOnBench) => void;

const settings: fc.Arbitrary<QueueSettingsInput> = fc.record({
  lockSeconds: fc.integer({ min: 1, max: 60 }),
  maxDeliveryCount: fc.integer({ min: 1, max: 4 }),
  duplicateDetectionSeconds: fc.constantFrom(0, 30),
  deadLetteringOnMessageExpiration: fc.boolean(),
});

const outcome = fc.constantFrom(
  { kind: "completed" as const },
  { kind: "abandoned" as const, amqp: Buffer.from("changed") },
  { kind: "deferred" as const },
  { kind: "dead-lettered" as const, deadLetter: { reason: "Bad" } },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record({
      id: fc.constantFrom("a", "b", "c", "d"),
      delaySeconds: fc.constantFrom(undefined, 5),
      lifeSeconds: fc.constantFrom(undefined, 20),
    })
    .map(({ id, delaySeconds, lifeSeconds }): Step => {
      return (bench) => {
        bench.send(id, {
          scheduledFor: delaySeconds === undefined ? undefined : bench.now + delaySeconds * 1000,
          timeToLiveMilliseconds: lifeSeconds === undefined ? undefined : lifeSeconds * 1000,
        });
      };
    }),
  outcome.map((settled): Step => {
    return (bench) => {
      const taken = bench.take();
      if (taken !== undefined) bench.queue.settle(taken.token, settled);
    };
  }),
  fc.constant<Step>((bench) => void bench.take()),
  fc.constant<Step>((bench) => void bench.take("dead")),
  fc.constant<Step>((bench) => void bench.queue.takeAway("main")),
  fc.integer({ min: 1, max: 40 }).map(
    (seconds): Step =>
      (bench) =>
        bench.wait(seconds),
  ),
);

/** Everything that decides what the queue does next. */
function essence({ queue }: QueueOnBench) {
  const { expiries, lastSequence, lockExpiries, locks, messages, ready, schedule, seen } = queue.state;
  return {
    messages: [...messages.values()],
    ready: [[...ready.main], [...ready.dead]],
    times: [[...lockExpiries], [...schedule], [...expiries]],
    locks: new Map(locks),
    seen: [...seen],
    lastSequence,
  };
}

describe("a queue that lives again", () => {
  test("from all its events is the same", () => {
    fc.assert(
      fc.property(settings, fc.array(step, { maxLength: 60 }), (chosen, steps) => {
        const bench = new QueueOnBench(chosen);
        for (const run of steps) run(bench);
        const reborn = bench.reborn();
        for (const life of [bench, reborn]) life.wait(0); // forgets the same ids
        expect(essence(reborn)).toEqual(essence(bench));
      }),
    );
  });

  test("from its snapshot is the same", () => {
    fc.assert(
      fc.property(settings, fc.array(step, { maxLength: 60 }), (chosen, steps) => {
        const bench = new QueueOnBench(chosen);
        for (const run of steps) run(bench);
        expect(essence(bench.reborn(bench.queue.state.snapshot()))).toEqual(essence(bench));
      }),
    );
  });

  test("every message is in exactly one place", () => {
    fc.assert(
      fc.property(settings, fc.array(step, { maxLength: 60 }), (chosen, steps) => {
        const bench = new QueueOnBench(chosen);
        for (const run of steps) run(bench);
        const { lockExpiries, messages, ready, schedule } = bench.queue.state;
        const deferred = [...messages.values()].filter(({ lock, phase }) => phase === "deferred" && !lock);
        const places = [...ready.main, ...ready.dead, ...lockExpiries, ...schedule];
        const all = [...places, ...deferred.map(({ sequence }) => sequence)];
        expect(all.toSorted((a, b) => a - b)).toEqual([...messages.keys()]);
      }),
    );
  });
});
