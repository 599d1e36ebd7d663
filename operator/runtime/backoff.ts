export interface BackoffSettings {
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * The wait before try number `failures + 1`: doubles from `baseMs` to `maxMs`, and is then spread over its
 * upper half, so that many clients that failed together do not come back together.
 *
 * @param failures how many tries have failed so far, at least 1
 * @param random a number in [0, 1)
 */
export function backoffMs(failures: number, settings: BackoffSettings, random: number): number {
  const doubled = settings.baseMs * 2 ** Math.min(Math.max(0, failures - 1), 30);
  return Math.min(settings.maxMs, doubled) * (0.5 + random / 2);
}
