/**
 * Light changes slowly across a set: it is worked out at every fourth pixel and interpolated, at a sixteenth of
 * the cost.
 */
const STEP = 4;
/** Light on the surface, and light that the surface mirrors, three floats each. */
const CHANNELS = 6;

export interface LightGrid {
  readonly columns: number;
  readonly rows: number;
  readonly data: Float32Array;
}

/** `at` writes the six floats of the pixel (x, y) to `out` from an index on. */
export function makeLightGrid(
  { width, height }: { readonly width: number; readonly height: number },
  at: (x: number, y: number, out: Float32Array, index: number) => void,
): LightGrid {
  const [columns, rows] = [Math.ceil(width / STEP) + 1, Math.ceil(height / STEP) + 1];
  const data = new Float32Array(columns * rows * CHANNELS);
  for (let row = 0, index = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, index += CHANNELS) {
      at(column * STEP, row * STEP, data, index);
    }
  }
  return { columns, rows, data };
}

/** The grid's values of one row of pixels: the rows above and below mixed, still one for every fourth pixel. */
export function gridRow(grid: LightGrid, y: number, out: Float32Array): void {
  const row = Math.floor(y / STEP);
  const share = y / STEP - row;
  const length = grid.columns * CHANNELS;
  const from = row * length;
  const below = Math.min(grid.rows - 1, row + 1) * length;
  for (let i = 0; i < length; i++) {
    const top = grid.data[from + i] ?? 0;
    out[i] = top + ((grid.data[below + i] ?? 0) - top) * share;
  }
}

/** Highlights roll off as on film: full light nears white and never clips. */
const SHOULDER = 0.8;

function rolledOff(light: number): number {
  const over = light - SHOULDER;
  return over <= 0 ? light : SHOULDER + (1 - SHOULDER) * (1 - Math.exp(-over / (1 - SHOULDER)));
}

/** `to` (three floats a pixel) becomes colour × light + mirrored light. */
export function shadeRow(colours: Float32Array, light: Float32Array, to: Float32Array): void {
  const pixels = to.length / 3;
  for (let x = 0, i = 0; x < pixels; x++) {
    const cell = Math.floor(x / STEP);
    const share = x / STEP - cell;
    const left = cell * CHANNELS;
    const right = left + CHANNELS;
    for (let c = 0; c < 3; c++, i++) {
      const a = light[left + c] ?? 0;
      const m = light[left + 3 + c] ?? 0;
      const lit = (colours[i] ?? 0) * (a + ((light[right + c] ?? 0) - a) * share);
      to[i] = rolledOff(lit + m + ((light[right + 3 + c] ?? 0) - m) * share);
    }
  }
}
