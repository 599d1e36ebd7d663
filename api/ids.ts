/**
 * Ids of jobs and items: 26 lower-case letters and digits, sortable by the time of their making (48 bits of
 * milliseconds, 80 bits of randomness, Crockford's base 32). They are DNS labels, so a job's id names its
 * OpalJob.
 */

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const TIME_DIGITS = 10;
const RANDOM_BYTES = 10;

export const JOB_ID_PATTERN = /^[0-9a-hjkmnp-tv-z]{26}$/;

/** Number of random bytes that `sortableId` takes. */
export const ID_ENTROPY_BYTES = RANDOM_BYTES;

export function sortableId(now: Date, random: Uint8Array): string {
  if (random.length !== RANDOM_BYTES) throw new RangeError(`want ${RANDOM_BYTES} random bytes`);
  return digits(BigInt(now.getTime()), TIME_DIGITS) + digits(toBigInt(random), 16);
}

function digits(value: bigint, length: number): string {
  let text = "";
  let rest = value;
  for (let i = 0; i < length; i++) {
    text = `${ALPHABET[Number(rest & 31n)]}${text}`;
    rest >>= 5n;
  }
  return text;
}

function toBigInt(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}
