/** Queues in the ATOM XML of Service Bus's administration API. */
import { countsOf, sizeBytesOf } from "../queue/inspect.ts";
import type { Queue } from "../queue/queue.ts";
import { QueueSettings } from "../queue/settings.ts";
import { formatDuration, parseDuration } from "./duration.ts";

const ATOM = "http://www.w3.org/2005/Atom";
const SERVICE_BUS = "http://schemas.microsoft.com/netservices/2010/10/servicebus/connect";
const COUNTS = "http://schemas.microsoft.com/netservices/2011/06/servicebus";
/** The longest time span of .NET: "for ever". */
const FOR_EVER = "P10675199DT2H48M5.4775807S";

export interface Rendering {
  /** Of this server, without a slash at the end. */
  readonly baseUrl: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export function renderFeed(queues: readonly Queue[], rendering: Rendering): string {
  const entries = queues.map((queue) => renderEntry(queue, rendering)).join("");
  return `<feed xmlns="${ATOM}"><title type="text">Queues</title>${entries}</feed>`;
}

export function renderEntry(queue: Queue, { baseUrl, now }: Rendering): string {
  const at = new Date(now).toISOString();
  const url = `${baseUrl}/${encodeURI(queue.name)}`;
  return [
    `<entry xmlns="${ATOM}"><id>${url}</id><title type="text">${queue.name}</title>`,
    `<published>${at}</published><updated>${at}</updated><author><name>emulator</name></author>`,
    `<link rel="self" href="${url}"/><content type="application/xml">`,
    `<QueueDescription xmlns="${SERVICE_BUS}" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">`,
    elements({ ...settingsOf(queue.settings), ...factsOf(queue, at) }),
    renderCounts(queue),
    `<EntityAvailabilityStatus>Available</EntityAvailabilityStatus><EnableExpress>false</EnableExpress>`,
    `</QueueDescription></content></entry>`,
  ].join("");
}

export function renderError(status: number, detail: string): string {
  return `<Error><Code>${status}</Code><Detail>${escape(detail)}</Detail></Error>`;
}

/**
 * Reads the settings out of a request to create or update a queue.
 * @throws {z.ZodError} that names the settings that are out of range
 */
export function parseQueueDescription(xml: string): QueueSettings {
  const text = (tag: string): string | undefined => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)?.[1];
  const seconds = (tag: string): number | undefined => parseDuration(text(tag) ?? "");
  const window = seconds("DuplicateDetectionHistoryTimeWindow") ?? 600;
  const timeToLive = text("DefaultMessageTimeToLive");
  const count = text("MaxDeliveryCount");
  return QueueSettings.parse({
    lockSeconds: seconds("LockDuration"),
    maxDeliveryCount: count === undefined ? undefined : Number(count),
    duplicateDetectionSeconds: text("RequiresDuplicateDetection") === "true" ? window : 0,
    requiresSession: text("RequiresSession") === "true",
    deadLetteringOnMessageExpiration: text("DeadLetteringOnMessageExpiration") === "true",
    defaultTimeToLiveSeconds:
      timeToLive === undefined || timeToLive === FOR_EVER ? undefined : parseDuration(timeToLive),
  });
}

function settingsOf(settings: QueueSettings): Record<string, string | number | boolean> {
  const { defaultTimeToLiveSeconds: timeToLive, duplicateDetectionSeconds } = settings;
  return {
    LockDuration: formatDuration(settings.lockSeconds),
    MaxSizeInMegabytes: 1024,
    RequiresDuplicateDetection: duplicateDetectionSeconds > 0,
    RequiresSession: settings.requiresSession,
    DefaultMessageTimeToLive: timeToLive === undefined ? FOR_EVER : formatDuration(timeToLive),
    DeadLetteringOnMessageExpiration: settings.deadLetteringOnMessageExpiration,
    DuplicateDetectionHistoryTimeWindow: formatDuration(duplicateDetectionSeconds || 600),
    MaxDeliveryCount: settings.maxDeliveryCount,
    EnableBatchedOperations: true,
  };
}

function factsOf(queue: Queue, at: string): Record<string, string | number | boolean> {
  return {
    SizeInBytes: sizeBytesOf(queue.state),
    MessageCount: queue.state.messages.size,
    Status: "Active",
    CreatedAt: at,
    UpdatedAt: at,
    AccessedAt: at,
    SupportOrdering: true,
    AutoDeleteOnIdle: FOR_EVER,
    EnablePartitioning: false,
  };
}

function renderCounts(queue: Queue): string {
  const { active, deadLettered, scheduled } = countsOf(queue.state);
  // The SDK looks for the very prefix that Azure happens to use.
  const counts = elements({
    "d2p1:ActiveMessageCount": active,
    "d2p1:DeadLetterMessageCount": deadLettered,
    "d2p1:ScheduledMessageCount": scheduled,
    "d2p1:TransferMessageCount": 0,
    "d2p1:TransferDeadLetterMessageCount": 0,
  });
  return `<CountDetails xmlns:d2p1="${COUNTS}">${counts}</CountDetails>`;
}

function elements(values: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(values)
    .map(([tag, value]) => `<${tag}>${value}</${tag}>`)
    .join("");
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
