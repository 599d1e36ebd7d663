import type { Size } from "../pipeline/layout.ts";

export interface UpscaleGoal {
  /** The brand's factor: the picture becomes no larger than that. */
  readonly factor: number;
  /** Pixels of the longer side beyond which no export uses any. Without it, the factor alone counts. */
  readonly longestSide?: number;
}

/** The size that is wanted: what the exports use, never more than the factor allows and never shrunk. */
export function wantedSize({ width, height }: Size, { factor, longestSide = Infinity }: UpscaleGoal): Size {
  const scale = Math.max(1, Math.min(factor, longestSide / Math.max(width, height)));
  return { width: Math.round(width * scale), height: Math.round(height * scale) };
}

/**
 * The smallest factor that reaches the wanted size; 1 where the picture has it. What is too much is filtered away
 * after enlarging.
 */
export function wholeFactor(from: Size, to: Size): 1 | 2 | 4 {
  const scale = Math.max(to.width / from.width, to.height / from.height);
  if (scale <= 1) return 1;
  return scale <= 2 ? 2 : 4;
}
