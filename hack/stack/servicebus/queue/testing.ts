import { randomUUID } from "node:crypto";
import type { QueueEvent } from "./message.ts";
import type { NewMessage } from "./new-message.ts";
import { Queue } from "./queue.ts";
import { QueueSettings, type QueueSettingsInput } from "./settings.ts";

export const START = Date.UTC(2026, 0, 1);

/** A queue with a clock that only `wait` moves, and what it has recorded. */
export class QueueOnBench {
  readonly events: QueueEvent[] = [];
  readonly queue: Queue;
  now = START;

  constructor(settings: QueueSettingsInput = {}) {
    this.queue = new Queue("bench", QueueSettings.parse(settings), (event) => this.events.push(event));
  }

  wait(seconds: number): void {
    this.now += seconds * 1000;
    this.queue.advance(this.now);
  }

  send(messageId: string, more: Partial<NewMessage> = {}): number {
    return this.queue.send({ messageId, amqp: Buffer.from(messageId), ...more }, this.now);
  }

  /** Locks the next message. @returns its id and lock token; undefined when there is none */
  take(subqueue: "main" | "dead" = "main", sessionId?: string): { id: string; token: string } | undefined {
    const token = randomUUID();
    const message = this.queue.take(subqueue, { token, sessionId }, this.now);
    return message && { id: message.messageId, token };
  }

  /** @throws when there is no message */
  takeToken(): string {
    const taken = this.take();
    if (taken === undefined) throw new Error("no message is ready");
    return taken.token;
  }

  /** What a later life would find, after these events or those of the snapshot. */
  reborn(events: Iterable<QueueEvent> = this.events): QueueOnBench {
    const other = new QueueOnBench(this.queue.settings);
    for (const event of events) other.queue.replay(event);
    other.queue.finishReplay();
    other.now = this.now;
    return other;
  }

  /** Ids of what can be received right now, in order. */
  readyIds(subqueue: "main" | "dead" = "main"): string[] {
    return [...this.queue.state.ready[subqueue]].map((sequence) => {
      return this.queue.state.messages.get(sequence)?.messageId ?? "missing";
    });
  }
}
