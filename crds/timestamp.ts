/** Kubernetes writes times as text; decisions reckon in milliseconds since 1970, UTC. */

export function toTimestamp(ms: number): string {
  return new Date(ms).toISOString();
}

/** Without fractions, as Kubernetes' own fields have them. */
export function toWholeSeconds(ms: number): string {
  return toTimestamp(Math.round(ms / 1000) * 1000).replace(".000Z", "Z");
}

/** NaN when there is no time in it. */
export function fromTimestamp(text: string | undefined): number {
  return Date.parse(text ?? "");
}
