import type { Box, Fidelity } from "#crds/runner-report.ts";
import type { Rgb } from "./raster.ts";

/**
 * Compares the delivered picture's pixels inside the product's core with the reference: the source after the
 * stated resize and colour conversion. `core` marks the pixels of `box` to compare; `reference` has its size.
 */
export function compareCore(delivered: Rgb, box: Box, reference: Rgb, core: Uint8Array): Fidelity {
  let corePixels = 0;
  let most = 0;
  let sum = 0;
  for (let i = 0; i < core.length; i++) {
    if (core[i] !== 1) continue;
    corePixels++;
    const at = (box.y + Math.floor(i / box.width)) * delivered.width + box.x + (i % box.width);
    for (let c = 0; c < 3; c++) {
      const difference = Math.abs((delivered.data[at * 3 + c] ?? 0) - (reference.data[i * 3 + c] ?? 0));
      if (difference > most) most = difference;
      sum += difference;
    }
  }
  return {
    corePixels,
    maxAbsDifference: most,
    meanAbsDifference: corePixels === 0 ? 0 : sum / (3 * corePixels),
  };
}
