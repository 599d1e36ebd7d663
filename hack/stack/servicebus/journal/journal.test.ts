import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { QueueSettings } from "../queue/settings.ts";
import { Journal } from "./journal.ts";
import type { JournalRecord } from "./record.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "opal-journal-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = (): string => join(folder, "journal.log");

const records: JournalRecord[] = [
  { what: "queue", name: "jobs", settings: QueueSettings.parse({}) },
  {
    what: "event",
    queue: "jobs",
    event: {
      kind: "sent",
      message: {
        sequence: 1,
        messageId: "ä/1",
        subqueue: "main",
        phase: "ready",
        deliveryCount: 0,
        enqueuedAt: 1,
        amqp: Buffer.from([0, 1, 0xff]),
      },
    },
  },
  { what: "event", queue: "jobs", event: { kind: "removed", sequence: 1 } },
];

function write(written: readonly JournalRecord[]): void {
  const journal = new Journal({ folder, sync: "never" });
  for (const record of written) journal.append(record);
  journal.close();
}

function reopen(): readonly JournalRecord[] {
  const journal = new Journal({ folder, sync: "never" });
  journal.close();
  return journal.recovered;
}

describe("the journal", () => {
  test.each(["never", "always"] as const)("gives back what was flushed (sync: %s)", (sync) => {
    const journal = new Journal({ folder, sync });
    for (const record of records) journal.append(record);
    journal.flush();
    // Not closed: the process was killed.
    expect(reopen()).toEqual(records);
  });

  test("forgets what was not flushed", () => {
    write(records.slice(0, 1));
    const journal = new Journal({ folder, sync: "never" });
    for (const record of records) journal.append(record);
    expect(reopen()).toEqual(records.slice(0, 1));
  });

  test("drops a last line that was cut short anywhere, and goes on after it", () => {
    write(records.slice(0, 2));
    const whole = statSync(file()).size;
    write(records.slice(2));
    const full = readFileSync(file());
    for (let length = whole; length < full.length; length += 1) {
      writeFileSync(file(), full);
      truncateSync(file(), length);
      expect(reopen()).toEqual(records.slice(0, 2));
      write(records.slice(2));
      expect(reopen()).toEqual(records);
    }
  });

  test("refuses a file that is damaged before its last line, and says where", () => {
    write(records);
    const lines = readFileSync(file(), "utf8").split("\n");
    const damaged = [lines[0], lines[1]?.replace("ready", "raedy"), lines[2], ""].join("\n");
    writeFileSync(file(), damaged);
    expect(reopen).toThrow(/journal\.log is damaged at byte \d+ \(record 2\)/);
  });

  test("is rewritten all at once, and appended to afterwards", () => {
    write(records);
    const journal = new Journal({ folder, sync: "never" });
    journal.rewrite(records.slice(0, 1));
    journal.append({ what: "queue-deleted", name: "jobs" });
    journal.close();
    expect(reopen()).toEqual([records[0], { what: "queue-deleted", name: "jobs" }]);
  });

  test("is overgrown when it is much larger than after the last rewrite", () => {
    const journal = new Journal({ folder, sync: "never", minCompactBytes: 100 });
    const isOvergrownAfter = (count: number): boolean => {
      for (let index = 0; index < count; index += 1) journal.append({ what: "queue-deleted", name: "jobs" });
      journal.flush();
      return journal.isOvergrown();
    };
    expect(isOvergrownAfter(1)).toBe(false);
    expect(isOvergrownAfter(2)).toBe(true);
    journal.rewrite(records);
    expect(isOvergrownAfter(3)).toBe(false);
    expect(isOvergrownAfter(50)).toBe(true);
    journal.close();
  });
});
