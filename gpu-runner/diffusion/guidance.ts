/** Classifier-free guidance: away from what is not wanted, towards what is. Pure. */

export interface GuidanceRule {
  /** 1 the wanted answer itself; above it the difference to the unwanted is stretched. */
  readonly scale: number;
  /** 0..1: how far the contrast of the wanted answer is brought back; large scales overexpose. */
  readonly rescale: number;
  readonly pictures: number;
}

/** Standard deviation of a part of an array, of a sample as torch reckons it. */
function deviation(values: Float32Array, from: number, to: number): number {
  let [sum, squares] = [0, 0];
  for (let i = from; i < to; i++) sum += values[i] ?? 0;
  const mean = sum / (to - from);
  for (let i = from; i < to; i++) squares += ((values[i] ?? 0) - mean) ** 2;
  return Math.sqrt(squares / (to - from - 1));
}

/**
 * @param answers of the network: to what is not wanted of every picture, then to what is, equally long
 * @returns the guided answer of every picture
 */
export function applyGuidance(
  answers: Float32Array,
  { scale, rescale, pictures }: GuidanceRule,
): Float32Array {
  const half = answers.length / 2;
  const guided = new Float32Array(half);
  for (let i = 0; i < half; i++) {
    const unwanted = answers[i] ?? 0;
    guided[i] = unwanted + scale * ((answers[half + i] ?? 0) - unwanted);
  }
  if (rescale === 0) return guided;
  const size = half / pictures;
  for (let from = 0; from < half; from += size) {
    const ratio = deviation(answers, half + from, half + from + size) / deviation(guided, from, from + size);
    const factor = rescale * ratio + (1 - rescale);
    for (let i = from; i < from + size; i++) guided[i] = (guided[i] ?? 0) * factor;
  }
  return guided;
}
