import { describe, expect, test } from "vitest";
import { findUser, mayPass } from "./user.ts";

const passwd = [
  "root:x:0:0:root:/root:/bin/bash",
  "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
  "postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash",
  "",
].join("\n");

describe("the user that runs Postgres", () => {
  test("is the first of the wanted ones that exists", () => {
    expect(findUser(passwd, ["postgres", "nobody"])).toEqual({ uid: 101, gid: 104 });
    expect(findUser(passwd, ["pgsql", "nobody"])).toEqual({ uid: 65_534, gid: 65_534 });
    expect(findUser(passwd, ["pgsql"])).toBeUndefined();
  });
});

describe("a folder can be passed", () => {
  const user = { uid: 101, gid: 104 };

  test.each([
    ["by everybody", { mode: 0o755, uid: 0, gid: 0 }, true],
    ["by others although its group may not", { mode: 0o701, uid: 0, gid: 0 }, true],
    ["not by others", { mode: 0o700, uid: 0, gid: 0 }, false],
    ["by its group", { mode: 0o710, uid: 0, gid: 104 }, true],
    ["not by its group although others may", { mode: 0o701, uid: 0, gid: 104 }, false],
    ["by its owner", { mode: 0o700, uid: 101, gid: 0 }, true],
    ["not by its owner although all others may", { mode: 0o677, uid: 101, gid: 104 }, false],
  ])("%s", (_, folder, isPassable) => {
    expect(mayPass(folder, user)).toBe(isPassable);
  });
});
