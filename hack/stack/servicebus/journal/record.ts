import { crc32 } from "node:zlib";
import * as z from "zod";
import { QueueEvent } from "../queue/message.ts";
import { QueueName, QueueSettings } from "../queue/settings.ts";

/** One thing that happened, as the journal holds it. */
export const JournalRecord = z.discriminatedUnion("what", [
  z.object({ what: z.literal("queue"), name: QueueName, settings: QueueSettings }),
  z.object({ what: z.literal("queue-deleted"), name: QueueName }),
  z.object({ what: z.literal("event"), queue: QueueName, event: QueueEvent }),
]);
export type JournalRecord = z.infer<typeof JournalRecord>;

/** One line: the checksum of the JSON in hexadecimal, the JSON, and a line feed. */
export function formatRecord(record: JournalRecord): string {
  const json = JSON.stringify(z.encode(JournalRecord, record));
  return `${checksum(json)} ${json}\n`;
}

/** Undefined when the line is not whole. @throws when it is whole but makes no sense: another version wrote it */
export function parseRecord(line: string): JournalRecord | undefined {
  const json = line.slice(9);
  if (line.slice(0, 9) !== `${checksum(json)} `) return undefined;
  return z.decode(JournalRecord, JSON.parse(json));
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
