import type { Clock } from "./clock.ts";

/**
 * What has been begun and cannot be seen in the caches yet, by key: decisions count on it until it is seen, has
 * failed, or its time is over. Nothing is expected for ever: an answer may be lost, and what was made may be gone
 * before it was seen; a key that waits for either would be stuck.
 */
export interface Expectations<T> {
  expect(key: string, value: T): void;
  /** It was seen, or it failed. */
  settle(key: string): void;
  /** Undefined when nothing is expected (any more). */
  of(key: string): T | undefined;
}

/** @param limitMs by the clock that never jumps; well above the time in which a watch shows a write */
export function createExpectations<T>({
  clock,
  limitMs,
}: {
  clock: Pick<Clock, "monotonicMs">;
  limitMs: number;
}): Expectations<T> {
  const expected = new Map<string, { value: T; untilMs: number }>();
  return {
    expect: (key, value) => expected.set(key, { value, untilMs: clock.monotonicMs() + limitMs }),
    settle: (key) => expected.delete(key),
    of(key) {
      const one = expected.get(key);
      if (!one) return undefined;
      if (clock.monotonicMs() < one.untilMs) return one.value;
      expected.delete(key);
      return undefined;
    },
  };
}
