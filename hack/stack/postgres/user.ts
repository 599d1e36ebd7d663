import { readFileSync, statSync, type Stats } from "node:fs";
import { dirname, resolve } from "node:path";

export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** In this order; Debian's Postgres packages make the first one, everybody has the second. */
const UNPRIVILEGED = ["postgres", "nobody"];

/**
 * Who runs Postgres: it refuses to run as root. Undefined: we ourselves are good enough.
 * @throws when we are root and the system has none of the users that would do
 */
export function postgresUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const user = findUser(readFileSync("/etc/passwd", "utf8"), UNPRIVILEGED);
  if (user !== undefined) return user;
  throw new Error(
    `Postgres does not run as root, and there is no user ${UNPRIVILEGED.join(" or ")} to run it`,
  );
}

/** @param passwd the content of /etc/passwd */
export function findUser(passwd: string, names: readonly string[]): User | undefined {
  const users = new Map(passwd.split("\n").map((line) => [line.split(":")[0], line.split(":")] as const));
  for (const name of names) {
    const [, , uid, gid] = users.get(name) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

/** True when the user may pass through every folder above the path. */
export function canReach(path: string, user: User): boolean {
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    if (!mayPass(statSync(folder), user)) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** The execute bit of the class that the user is in: owner, group or others. */
export function mayPass({ mode, uid, gid }: Pick<Stats, "mode" | "uid" | "gid">, user: User): boolean {
  if (uid === user.uid) return (mode & 0o100) !== 0;
  return (mode & (gid === user.gid ? 0o010 : 0o001)) !== 0;
}
