import type { SurfaceRow } from "./noise-table.ts";

/** Fills `out`, three floats a pixel, with the linear-light colour of a row of a surface under full white light. */
export type Material = (row: SurfaceRow, out: Float32Array) => void;

/** The widest row that materials are asked for: they keep scratch rows of this length. */
export const MAX_ROW = 16_384;
