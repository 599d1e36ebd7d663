import * as z from "zod";

const WatchEvent = z.object({
  type: z.enum(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]),
  object: z.unknown(),
});
export type WatchEvent = z.infer<typeof WatchEvent>;

/** Far above etcd's limit for one object (1.5 MiB): a longer line is a broken stream. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * Splits a watch's bytes into its events, one JSON object a line.
 *
 * @throws {SyntaxError} when a line is not JSON, {z.ZodError} when it is not a watch event, {RangeError} when
 * it does not end: the stream is broken and its position is lost.
 */
export async function* watchEvents(bytes: AsyncIterable<Buffer>): AsyncGenerator<WatchEvent[]> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of bytes) {
    const events: WatchEvent[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      const line = Buffer.concat([...rest, chunk.subarray(from, end)]).toString("utf8");
      rest = [];
      restBytes = 0;
      from = end + 1;
      if (line.trim() !== "") events.push(WatchEvent.parse(JSON.parse(line)));
    }
    if (from < chunk.length) {
      rest.push(chunk.subarray(from));
      restBytes += chunk.length - from;
    }
    if (restBytes > MAX_LINE_BYTES) throw new RangeError("a watch event does not end");
    yield events;
  }
}
