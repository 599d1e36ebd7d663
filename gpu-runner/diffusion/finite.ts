import { BadModelFolder } from "./model-folder.ts";

/**
 * What is too large for a half float becomes infinite, soon no number at all, and would end as a black picture.
 * @param network its file within the model's folder, as the message names it
 * @throws {BadModelFolder} when one of its values is not finite
 */
export function checkFinite(values: Float32Array, network: string): void {
  if (values.every((value) => Number.isFinite(value))) return;
  throw new BadModelFolder(
    `${network} gives values that are not finite: either it overflows in half floats, as SDXL's own VAE does (export it in float32, or take weights made for float16), or its weights are damaged`,
  );
}
