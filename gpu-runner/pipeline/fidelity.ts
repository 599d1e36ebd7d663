import type { Box, Fidelity } from "#crds/runner-report.ts";
import { deltaE00, labOf, p95 } from "./colour-difference.ts";
import type { Rgb } from "./raster.ts";

export interface Proof extends Fidelity {
  readonly deltaE00P95: number;
  readonly psnrDb: number;
}

/** Stands for "equal": JSON has no infinity. */
const EQUAL_DB = 99;

/** The bars after a resize; at the photo's own size no level may differ. */
const MAX_DELTA_E00_P95 = 1;
const MIN_PSNR_DB = 45;

/**
 * Compares the delivered picture's pixels inside the product's core with the reference: the source after the
 * stated resize, colour conversion and gain. `core` marks the pixels of `box` to compare; `reference` has its
 * size.
 */
export function compareCore(delivered: Rgb, box: Box, reference: Rgb, core: Uint8Array): Proof {
  let [corePixels, most, sum, squares] = [0, 0, 0, 0];
  const differences: number[] = [];
  for (let i = 0; i < core.length; i++) {
    if (core[i] !== 1) continue;
    corePixels++;
    const at = 3 * ((box.y + Math.floor(i / box.width)) * delivered.width + box.x + (i % box.width));
    let largest = 0;
    for (let c = 0; c < 3; c++) {
      const difference = Math.abs((delivered.data[at + c] ?? 0) - (reference.data[i * 3 + c] ?? 0));
      largest = Math.max(largest, difference);
      sum += difference;
      squares += difference * difference;
    }
    most = Math.max(most, largest);
    if (largest > 0) differences.push(deltaE00(labAt(delivered, at), labAt(reference, i * 3)));
  }
  const values = Math.max(1, 3 * corePixels);
  return {
    corePixels,
    maxAbsDifference: most,
    meanAbsDifference: sum / values,
    deltaE00P95: p95(differences, corePixels),
    psnrDb: squares === 0 ? EQUAL_DB : Math.min(EQUAL_DB, 10 * Math.log10((255 ** 2 * values) / squares)),
  };
}

const labAt = ({ data }: Rgb, at: number) => labOf(data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0);

/** Why a picture is not the photo's product, as a clause; undefined when it is. */
export function unfaithful(proof: Proof, isResized: boolean): string | undefined {
  if (!isResized && proof.maxAbsDifference > 0)
    return `differs from the photo by up to ${proof.maxAbsDifference} levels`;
  if (proof.deltaE00P95 > MAX_DELTA_E00_P95)
    return `differs from the photo by ΔE00 ${proof.deltaE00P95.toFixed(2)} at the 95th percentile`;
  if (proof.psnrDb < MIN_PSNR_DB) return `is only within ${proof.psnrDb.toFixed(1)} dB of the photo`;
  return undefined;
}
