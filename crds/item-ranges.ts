/**
 * Sets of item indexes as text, "0-3,7": short enough for an annotation and a termination message (4,096
 * bytes) even for the largest shard, because shards are mostly runs.
 */

/** Formats indexes (any order, repeats allowed) as ascending ranges. */
export function formatRanges(indexes: Iterable<number>): string {
  const sorted = [...new Set(indexes)].sort((a, b) => a - b);
  const parts: string[] = [];
  let at = 0;
  while (at < sorted.length) {
    const first = sorted[at] as number;
    let last = first;
    while (sorted[at + 1] === last + 1) {
      last++;
      at++;
    }
    at++;
    parts.push(first === last ? `${first}` : `${first}-${last}`);
  }
  return parts.join(",");
}

const MAX_INDEX = 100_000;

/** @throws {RangeError} when the text is not a list of ranges of indexes up to 100,000. */
export function parseRanges(text: string): number[] {
  if (text === "") return [];
  return text.split(",").flatMap((part) => {
    const [first, last] = parseRange(part);
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  });
}

function parseRange(part: string): [first: number, last: number] {
  const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || last < first || last > MAX_INDEX)
    throw new RangeError(`not a range of item indexes: "${part}"`);
  return [first, last];
}
