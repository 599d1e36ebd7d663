/**
 * The COSE_Sign1 envelope (RFC 9052) of a C2PA claim: the library hashes and embeds, the key stays with us. The
 * five kinds of CBOR (RFC 8949) that it needs are written here.
 */
import { createPublicKey, type KeyObject, sign } from "node:crypto";

/** Signature algorithms by their COSE numbers and C2PA names; the key decides. */
const ALGORITHMS = {
  prime256v1: { cose: -7, name: "es256", digest: "sha256" },
  secp384r1: { cose: -35, name: "es384", digest: "sha384" },
  ed25519: { cose: -8, name: "ed25519", digest: null },
} as const;
type Algorithm = (typeof ALGORITHMS)[keyof typeof ALGORITHMS];

/** @throws {RangeError} for keys that C2PA does not take here. */
export function algorithmOf(key: KeyObject): Algorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPublicKey(key);
  const name = type === "ec" ? details?.namedCurve : type;
  const known = Object.entries(ALGORITHMS).find(([curve]) => curve === name);
  if (!known) throw new RangeError(`a key on P-256, P-384 or Ed25519 is wanted, not ${name ?? "this one"}`);
  return known[1];
}

const KIND = { natural: 0, negative: 1, bytes: 2, text: 3, list: 4, map: 5, tag: 6 } as const;
const NULL = Buffer.from([0xf6]);

function head(kind: number, value: number): Buffer {
  if (value < 24) return Buffer.from([(kind << 5) | value]);
  if (value < 256) return Buffer.from([(kind << 5) | 24, value]);
  return Buffer.from([(kind << 5) | 25, value >> 8, value & 255]);
}

const integer = (value: number) => (value < 0 ? head(KIND.negative, -1 - value) : head(KIND.natural, value));
const bytes = (value: Uint8Array) => Buffer.concat([head(KIND.bytes, value.length), value]);
const text = (value: string) =>
  Buffer.concat([head(KIND.text, Buffer.byteLength(value)), Buffer.from(value)]);
const list = (...items: Buffer[]) => Buffer.concat([head(KIND.list, items.length), ...items]);
const map = (...pairs: (readonly [Buffer, Buffer])[]) =>
  Buffer.concat([head(KIND.map, pairs.length), ...pairs.flat()]);

/** A length in two bytes whatever it is, so that padding does not change the size of its own head. */
function padding(length: number): Buffer {
  const out = Buffer.alloc(3 + length);
  out[0] = (KIND.bytes << 5) | 25;
  out.writeUInt16BE(length, 1);
  return out;
}

const SIGN1_TAG = 18;
const HEADER = { algorithm: 1, x5chain: 33 } as const;

export interface SigningKey {
  readonly key: KeyObject;
  /** DER, the key's own first, its issuers after it; the root may be left out. */
  readonly certificates: readonly Uint8Array[];
}

/**
 * Signs a claim (its own bytes stay outside the envelope) into exactly `size` bytes.
 * @throws {RangeError} when the certificates do not fit.
 */
export function signClaim(
  claim: Uint8Array,
  { key, certificates }: SigningKey,
  size: number,
): Uint8Array<ArrayBuffer> {
  const { cose, digest } = algorithmOf(key);
  const header = map(
    [integer(HEADER.algorithm), integer(cose)],
    [integer(HEADER.x5chain), list(...certificates.map(bytes))],
  );
  const toSign = list(text("Signature1"), bytes(header), bytes(new Uint8Array()), bytes(claim));
  const signature = sign(digest, toSign, { key, dsaEncoding: "ieee-p1363" });
  const envelope = (pad: number) =>
    Buffer.concat([
      head(KIND.tag, SIGN1_TAG),
      list(bytes(header), map([text("pad"), padding(pad)]), NULL, bytes(signature)),
    ]);
  const free = size - envelope(0).length;
  if (free < 0) throw new RangeError(`the certificates need ${-free} bytes more than the ${size} reserved`);
  return new Uint8Array(envelope(free));
}

/** What an envelope needs at most: certificates, signature and headers. */
export function envelopeBytes({ certificates }: SigningKey): number {
  return 512 + certificates.reduce((sum, { length }) => sum + length + 3, 0);
}
