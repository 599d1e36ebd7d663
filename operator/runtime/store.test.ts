import { beforeEach, describe, expect, it } from "vitest";
import { type Change, type Entry, Store } from "./store.ts";

interface Thing {
  readonly owner: string;
  readonly size: number;
}
let store: Store<Thing, "owner">;
let changes: Change<Thing>[];

const entry = (key: string, version: number, value: Partial<Thing> = {}, uid = key): Entry<Thing> => ({
  key,
  uid,
  resourceVersion: String(version),
  value: { owner: "o", size: version, ...value },
});

beforeEach(() => {
  store = new Store<Thing, "owner">({ owner: (thing) => [thing.owner] });
  changes = [];
  store.onChange((change) => changes.push(change));
});

describe("the store", () => {
  it("finds objects by key and by index, also after they have moved", () => {
    store.watched(entry("a", 1, { owner: "x" }));
    store.watched(entry("b", 2, { owner: "x" }));
    store.watched(entry("a", 3, { owner: "y" }));
    expect(store.get("a")?.size).toBe(3);
    expect(store.by("owner", "x").map((thing) => thing.size)).toEqual([2]);
    expect(store.by("owner", "y").map((thing) => thing.size)).toEqual([3]);
    store.watchedDelete("b", "4");
    expect(store.by("owner", "x")).toEqual([]);
  });

  it("tells deletions of what a new list no longer has", () => {
    store.replace([entry("a", 1), entry("b", 2)], "2");
    changes = [];
    store.replace([entry("b", 2), entry("c", 5)], "6");
    expect(changes.map(({ key, after }) => [key, after?.size])).toEqual([
      ["a", undefined],
      ["c", 5],
    ]);
  });

  it("passes over a repeated or outdated watch event", () => {
    store.watched(entry("a", 5));
    changes = [];
    store.watched(entry("a", 5));
    store.watched(entry("a", 4));
    expect(changes).toEqual([]);
    expect(store.get("a")?.size).toBe(5);
  });

  it("takes another object of the same name", () => {
    store.watched(entry("a", 5));
    store.watched(entry("a", 7, {}, "another"));
    expect(store.get("a")?.size).toBe(7);
  });

  it("is not made to bring back what is gone by a repeated event", () => {
    store.watched(entry("a", 5));
    store.watchedDelete("a", "6");
    changes = [];
    store.watched(entry("a", 5));
    expect(changes).toEqual([]);
    expect(store.size).toBe(0);
  });

  it("tells where a change comes from", () => {
    store.replace([entry("a", 1)], "2");
    store.watched(entry("b", 3));
    store.written(entry("b", 4));
    store.watchedDelete("a", "5");
    expect(changes.map(({ key, from }) => `${key} ${from}`)).toEqual([
      "a list",
      "b watch",
      "b written",
      "a watch",
    ]);
  });
});

describe("the store, told of own writes", () => {
  it("shows them before the watch does, and is not set back by the watch", () => {
    store.watched(entry("a", 5));
    store.written(entry("a", 9));
    store.watched(entry("a", 7));
    expect(store.get("a")?.size).toBe(9);
    store.watched(entry("a", 12));
    expect(store.get("a")?.size).toBe(12);
  });

  it("does not bring back what the watch has already seen deleted", () => {
    store.watched(entry("a", 5));
    store.watchedDelete("a", "8");
    store.written(entry("a", 7));
    expect(store.get("a")).toBeUndefined();
  });

  it("keeps an own create that is younger than the list being read", () => {
    store.written(entry("a", 9));
    store.replace([entry("b", 3)], "4");
    expect(store.get("a")?.size).toBe(9);
    store.replace([entry("b", 3)], "10");
    expect(store.get("a")).toBeUndefined();
  });

  it("keeps an own re-creation when the watch brings the old one's deletion late", () => {
    store.watched(entry("a", 3, {}, "old"));
    store.written(entry("a", 9, {}, "new"));
    store.watchedDelete("a", "6");
    expect(store.get("a")?.size).toBe(9);
  });

  it("follows a server whose data was restored to an earlier time", () => {
    store.replace([entry("a", 50)], "60");
    store.replace([entry("a", 20)], "30");
    store.watched(entry("a", 31));
    expect(store.get("a")?.size).toBe(31);
  });
});
