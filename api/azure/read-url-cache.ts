/**
 * Remembers read URLs until the next ones are due: signing takes 0.05 ms, and a large job that is polled asks
 * for thousands. The same URL twice also lets browsers keep the picture.
 */
import type { BlobStore } from "./blob.ts";

const MAX_REMEMBERED = 50_000;

export function rememberReadUrls(readUrl: BlobStore["readUrl"]): BlobStore["readUrl"] {
  let expiry = 0;
  let urls = new Map<string, Promise<string>>();
  return (ref, expiresAt) => {
    if (expiresAt.getTime() !== expiry || urls.size >= MAX_REMEMBERED) {
      expiry = expiresAt.getTime();
      urls = new Map();
    }
    const known = urls.get(ref);
    if (known) return known;
    const url = readUrl(ref, expiresAt);
    urls.set(ref, url);
    // A refusal must not be remembered.
    url.catch(() => urls.delete(ref));
    return url;
  };
}

/**
 * When URLs that are given out now end: at least `seconds` from now, at most half as much again. The same for
 * all requests of some time, so that they may share their URLs.
 */
export function sharedExpiry(now: Date, seconds: number): Date {
  const step = (seconds * 1000) / 2;
  return new Date(Math.ceil(now.getTime() / step) * step + seconds * 1000);
}
