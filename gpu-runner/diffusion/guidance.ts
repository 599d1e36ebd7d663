/** Classifier-free guidance: away from what is not wanted, towards what is. */

export interface Guided {
  /** How far beyond the wanted: 1 is just that. */
  readonly scale: number;
  /** 0..1: how much of the contrast that guidance adds is taken back ("Common Diffusion Noise Schedules", 3.4). */
  readonly rescale: number;
  readonly pictures: number;
}

function deviation(values: Float32Array): number {
  let [sum, squares] = [0, 0];
  for (const value of values) sum += value;
  const mean = sum / values.length;
  for (const value of values) squares += (value - mean) ** 2;
  return Math.sqrt(squares / values.length);
}

/** What each picture's numbers are multiplied by; one that has no contrast at all keeps what it has. */
function rescaling(guided: Float32Array, wanted: Float32Array, rescale: number): number {
  const spread = deviation(guided);
  return spread === 0 ? 1 : 1 + rescale * (deviation(wanted) / spread - 1);
}

/**
 * @param answer the network's: of every picture what it says to the unwanted, then of every picture to the wanted
 * @returns one answer a picture, a row of its own
 */
export function applyGuidance(answer: Float32Array, { scale, rescale, pictures }: Guided): Float32Array {
  const half = answer.length / 2;
  const wanted = answer.subarray(half);
  const guided = answer.slice(0, half);
  for (let i = 0; i < half; i++) {
    const unwanted = guided[i] ?? 0;
    guided[i] = unwanted + scale * ((wanted[i] ?? 0) - unwanted);
  }
  if (rescale === 0) return guided;
  const size = half / pictures;
  for (let from = 0; from < half; from += size) {
    const own = guided.subarray(from, from + size);
    const factor = rescaling(own, wanted.subarray(from, from + size), rescale);
    for (let i = 0; i < size; i++) own[i] = factor * (own[i] ?? 0);
  }
  return guided;
}
