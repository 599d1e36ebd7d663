/**
 * Files of a web server. Where it can serve ranges several are asked for at once and handed on in order, as one
 * connection seldom fills a line; where it cannot, there is one stream from the beginning.
 */
import { setTimeout as pause } from "node:timers/promises";
import { PullError, type Source, type SourceFile } from "./source-file.ts";

export interface Fetching {
  /** Ranges that are asked for at once. */
  readonly streams: number;
  readonly rangeBytes: number;
  /** Before each further try; so many there are. */
  readonly pauseMilliseconds: readonly number[];
}

/** At most 64 MiB wait in memory for their turn. */
const USUAL: Fetching = { streams: 8, rangeBytes: 8 * 2 ** 20, pauseMilliseconds: [1000, 4000, 15_000] };

const isPassing = (status: number) => status === 408 || status === 429 || status >= 500;

/** Compressed answers would have neither ranges nor lengths of the file. */
const IDENTITY = { "accept-encoding": "identity" };

interface Asked {
  readonly range?: string;
  readonly signal?: AbortSignal;
}

/** Tries again while the trouble may pass: the answer, or the last one that was no better. */
async function request(url: string, asked: Asked, fetching: Fetching, tries = 0): Promise<Response> {
  const { range, signal } = asked;
  const init = {
    headers: { ...IDENTITY, ...(range === undefined ? {} : { range: `bytes=${range}` }) },
    ...(signal ? { signal } : {}),
  };
  const wait = fetching.pauseMilliseconds[tries];
  const response = await fetch(url, init).catch((cause) => {
    signal?.throwIfAborted();
    if (wait !== undefined) return undefined;
    throw new PullError(`${url} does not answer: is the address right, and the network there?`, { cause });
  });
  if (response && (wait === undefined || !isPassing(response.status))) return response;
  await response?.body?.cancel();
  await pause(wait, undefined, signal ? { signal } : {});
  return request(url, asked, fetching, tries + 1);
}

interface Remote {
  readonly url: string;
  readonly bytes: number;
  readonly validator: string;
}

async function askRange({ url, validator }: Remote, range: string, fetching: Fetching, signal: AbortSignal) {
  const response = await request(url, { range, signal }, fetching);
  if (response.status === 206 && validatorOf(response) === validator) return response;
  await response.body?.cancel();
  if (response.status !== 206) throw new PullError(`${url} answers ${response.status}: pull again`);
  throw new PullError(`${url} changed while it was read: pull again`);
}

async function readRange(
  remote: Remote,
  [from, to]: readonly [number, number],
  fetching: Fetching,
  signal: AbortSignal,
): Promise<Uint8Array> {
  let cause: unknown;
  for (const wait of [0, ...fetching.pauseMilliseconds]) {
    await pause(wait, undefined, { signal });
    const response = await askRange(remote, `${from}-${to - 1}`, fetching, signal);
    const bytes = await response.bytes().catch((error: unknown) => {
      signal.throwIfAborted();
      cause = error;
      return undefined;
    });
    if (bytes?.length === to - from) return bytes;
  }
  throw new PullError(`${remote.url} breaks off again and again: pull again, what came is kept`, { cause });
}

async function* readInOrder(remote: Remote, from: number, fetching: Fetching): AsyncGenerator<Uint8Array> {
  const stop = new AbortController();
  const pending: Promise<Uint8Array>[] = [];
  let at = from;
  const ask = () => {
    if (at >= remote.bytes) return;
    const to = Math.min(remote.bytes, at + fetching.rangeBytes);
    const range = readRange(remote, [at, to], fetching, stop.signal);
    // Its failure counts when its turn comes.
    range.catch(() => undefined);
    pending.push(range);
    at = to;
  };
  try {
    for (let i = 0; i < fetching.streams; i++) ask();
    for (let next = pending.shift(); next; next = pending.shift()) {
      const bytes = await next;
      ask();
      yield bytes;
    }
  } finally {
    stop.abort();
  }
}

/** Weak tags may be equal for unequal bytes. */
function validatorOf({ headers }: Response): string | undefined {
  const tag = headers.get("etag");
  if (tag && !tag.startsWith("W/")) return tag;
  return headers.get("last-modified") ?? undefined;
}

async function* readWhole(url: string, fetching: Fetching): AsyncGenerator<Uint8Array> {
  const response = await request(url, {}, fetching);
  if (response.status !== 200 || !response.body) throw new PullError(`${url} answers ${response.status}`);
  try {
    yield* response.body;
  } catch (cause) {
    throw new PullError(`${url} broke off, and its server cannot go on from the middle: pull again`, {
      cause,
    });
  }
}

/** What a request for the first byte tells of the file. */
function fileOf(url: string, response: Response, fetching: Fetching): SourceFile {
  const total = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
  const validator = validatorOf(response);
  if (response.status !== 200 && total !== undefined && validator !== undefined) {
    const remote = { url, bytes: Number(total), validator };
    return { bytes: remote.bytes, validator, read: (from) => readInOrder(remote, from, fetching) };
  }
  const length = response.status === 200 ? response.headers.get("content-length") : total;
  return {
    bytes: length === null || length === undefined ? undefined : Number(length),
    validator: undefined,
    read: () => readWhole(url, fetching),
  };
}

/** @param base address of the folder: paths of files come after it */
export function httpSource(base: string, fetching: Fetching = USUAL): Source {
  const folder = base.endsWith("/") ? base : `${base}/`;
  return {
    async open(path) {
      const url = new URL(path, folder).href;
      const response = await request(url, { range: "0-0" }, fetching);
      await response.body?.cancel();
      if (response.status === 404 || response.status === 410) return undefined;
      // 416: an empty file has no first byte.
      if ([200, 206, 416].includes(response.status)) return fileOf(url, response, fetching);
      const isClosed = response.status === 401 || response.status === 403;
      throw new PullError(`${url} answers ${response.status}${isClosed ? ": it is not public" : ""}`);
    },
  };
}
