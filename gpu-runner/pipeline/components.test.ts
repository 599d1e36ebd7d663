import { expect, it } from "vitest";
import { components, countIn } from "./components.ts";

function neighbours(at: number, width: number, height: number): number[] {
  const [x, y] = [at % width, Math.floor(at / width)];
  const sides = [
    [x - 1, y],
    [x + 1, y],
    [x, y - 1],
    [x, y + 1],
  ] as const;
  return sides.flatMap(([i, j]) => (i >= 0 && i < width && j >= 0 && j < height ? [j * width + i] : []));
}

/** Pixels that hang together by their sides, by the plainest flood there is. */
function flooded(width: number, height: number, inside: readonly boolean[]): string[] {
  const seen = new Set<number>();
  const groups: string[] = [];
  for (const first of inside.keys()) {
    if (!inside[first] || seen.has(first)) continue;
    const members = new Set([first]);
    for (const at of members) {
      for (const to of neighbours(at, width, height)) if (inside[to]) members.add(to);
    }
    for (const member of members) seen.add(member);
    groups.push([...members].sort((a, b) => a - b).join());
  }
  return groups;
}

it.each([0.2, 0.4, 0.5, 0.6, 0.8])("finds what a flood finds where %s of the pixels are inside", (share) => {
  const [width, height] = [37, 29];
  let state = Math.round(share * 1000);
  const inside = Array.from({ length: width * height }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 < share;
  });
  // Levels on both sides of the range, its ends among them.
  const level = (isInside: boolean, isHigh: boolean) =>
    (isHigh ? 200 : 20) + (isInside ? 0 : isHigh ? 1 : -1);
  const data = Uint8Array.from(inside, (isInside, i) => level(isInside, i % 2 === 1));
  const found = components({ width, height, data }, { least: 20, most: 200 });
  const members = found.map(({ runs }) => {
    const all: number[] = [];
    for (let k = 0; k < runs.length; k += 2)
      for (let i = runs[k] ?? 0; i < (runs[k + 1] ?? 0); i++) all.push(i);
    return all;
  });
  expect(members.map((all) => all.join())).toEqual(flooded(width, height, inside));
  for (const [k, component] of found.entries()) {
    const own = members[k] ?? [];
    expect(component.pixels).toBe(own.length);
    expect(component.touchesEdge).toBe(
      own.some((i) => i < width || i >= width * (height - 1) || i % width === 0 || i % width === width - 1),
    );
    expect(countIn(component, (i) => i % 2 === 0)).toBe(own.filter((i) => i % 2 === 0).length);
  }
});

it("finds nothing where nothing is", () =>
  expect(components({ width: 5, height: 4, data: new Uint8Array(20) }, { least: 1, most: 255 })).toEqual([]));
