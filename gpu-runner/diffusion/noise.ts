/**
 * Normal numbers by counting: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw 2011) and the Box-Muller transform, in the
 * layout of torch's CUDA generator (`torch.randn` of up to about 200,000 numbers, the count of threads that run at
 * once) and of stable-diffusion.cpp. The number at a place depends on seed, draw and place alone: a seed gives the
 * same picture on every machine, in whatever batch, and its noise can be made again from the middle.
 */
const MULTIPLIER_0 = 0xd251_1f53 | 0;
const MULTIPLIER_1 = 0xcd9e_8d57 | 0;
const WEYL_0 = 0x9e37_79b9 | 0;
const WEYL_1 = 0xbb67_ae85 | 0;
const ROUNDS = 10;

/** The upper 32 bits of a product of unsigned integers. Signs are of no account: V8 is fastest with signed ones. */
function upperProduct(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0;
  const carried = (Math.imul(aLow, bHigh) + (middle & 0xffff)) | 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carried >>> 16)) | 0;
}

/** Ten rounds, in place. `counter` holds 4 words, `key` 2. */
export function philox(counter: Uint32Array, key: Uint32Array): void {
  let c0 = (counter[0] ?? 0) | 0;
  let c1 = (counter[1] ?? 0) | 0;
  let c2 = (counter[2] ?? 0) | 0;
  let c3 = (counter[3] ?? 0) | 0;
  let k0 = (key[0] ?? 0) | 0;
  let k1 = (key[1] ?? 0) | 0;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = upperProduct(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const high1 = upperProduct(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  counter[0] = c0;
  counter[1] = c1;
  counter[2] = c2;
  counter[3] = c3;
}

/** 32-bit floats, as CUDA has them, and fused multiply-adds: numbers differ from CUDA's in their last bits at most. */
const INVERSE = Math.fround(2 ** -32);
const INVERSE_TURN = Math.fround(2 ** -32 * Math.fround(2 * Math.PI));

/** One normal number of two evenly spread 32-bit integers; the second that they would give is not used. */
function boxMuller(x: number, y: number): number {
  const u = Math.fround(Math.fround(x) * INVERSE + INVERSE / 2);
  const v = Math.fround(Math.fround(y) * INVERSE_TURN + INVERSE_TURN / 2);
  return Math.sqrt(-2 * Math.log(u)) * Math.sin(v);
}

/**
 * `length` numbers of mean 0 and variance 1.
 * @param seed 0 to 2^64 - 1; as a number, a safe integer
 * @param draw which draw of this seed, counted from 0: 32 bits
 * @throws {RangeError} for another seed or draw
 */
export function normals(seed: bigint | number, draw: number, length: number): Float32Array {
  if (typeof seed === "number" && !Number.isSafeInteger(seed)) throw new RangeError(`${seed} is no seed`);
  const wide = BigInt(seed);
  if (wide !== BigInt.asUintN(64, wide)) throw new RangeError(`${seed} is no seed of 0 to 2^64 - 1`);
  if (draw !== draw >>> 0) throw new RangeError(`${draw} is no draw`);
  const key = Uint32Array.of(Number(wide & 0xffff_ffffn), Number(wide >> 32n));
  const counter = new Uint32Array(4);
  const out = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    counter[0] = draw;
    counter[1] = 0;
    counter[2] = i;
    counter[3] = 0;
    philox(counter, key);
    out[i] = boxMuller(counter[0], counter[1]);
  }
  return out;
}
