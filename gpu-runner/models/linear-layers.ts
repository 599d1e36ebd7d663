/** Sums of convolutions, and what layers without a bend make of them. */

/** [outputs, inputs, side, side], side odd, size kept. */
export interface Kernel {
  readonly outputs: number;
  readonly inputs: number;
  readonly side: number;
  readonly values: Float64Array;
}

/** The bias, and a kernel for each tensor that is looked at, by the tensor's name. */
export interface Linear {
  readonly bias: Float64Array;
  readonly kernels: ReadonlyMap<string, Kernel>;
}

export function kernelOf(values: ArrayLike<number>, outputs: number, inputs: number): Kernel {
  const side = Math.sqrt(values.length / (outputs * inputs));
  return { outputs, inputs, side, values: Float64Array.from(values) };
}

const zeros = (outputs: number, inputs: number, side: number) =>
  kernelOf(new Float64Array(outputs * inputs * side ** 2), outputs, inputs);

/** A tensor as it is. */
export function unchanged(name: string, channels: number): Linear {
  const kernel = zeros(channels, channels, 1);
  for (let i = 0; i < channels; i++) kernel.values[i * channels + i] = 1;
  return { bias: new Float64Array(channels), kernels: new Map([[name, kernel]]) };
}

/** Adds a kernel, its middle on the middle of one that is no smaller, its first output at the `output`-th of it. */
function addTo(to: Kernel, { outputs, inputs, side, values }: Kernel, output: number): void {
  const margin = (to.side - side) / 2;
  let from = 0;
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let y = 0; y < side; y++) {
        let at = (((output + o) * inputs + i) * to.side + y + margin) * to.side + margin;
        for (let x = 0; x < side; x++, at++, from++)
          to.values[at] = (to.values[at] ?? 0) + (values[from] ?? 0);
      }
    }
  }
}

/** The parts' kernels laid on one another, the n-th part's first output at the n-th place. */
function merged(parts: readonly Linear[], places: readonly number[], outputs: number): Map<string, Kernel> {
  const kernels = new Map<string, Kernel>();
  for (const name of new Set(parts.flatMap((part) => [...part.kernels.keys()]))) {
    const own = parts.map((part) => part.kernels.get(name));
    const side = Math.max(...own.map((kernel) => kernel?.side ?? 1));
    const all = zeros(outputs, own.find((kernel) => kernel)?.inputs ?? 0, side);
    for (const [n, kernel] of own.entries()) if (kernel) addTo(all, kernel, places[n] ?? 0);
    kernels.set(name, all);
  }
  return kernels;
}

export function sumOf(parts: readonly Linear[]): Linear {
  const bias = new Float64Array(parts[0]?.bias.length ?? 0);
  for (const part of parts) for (const [o, value] of part.bias.entries()) bias[o] = (bias[o] ?? 0) + value;
  return {
    bias,
    kernels: merged(
      parts,
      parts.map(() => 0),
      bias.length,
    ),
  };
}

/** The channels of the parts one after another. */
export function sideBySide(parts: readonly Linear[]): Linear {
  const places: number[] = [];
  let outputs = 0;
  for (const { bias } of parts) {
    places.push(outputs);
    outputs += bias.length;
  }
  return {
    bias: Float64Array.from(parts.flatMap(({ bias }) => [...bias])),
    kernels: merged(parts, places, outputs),
  };
}

interface Shifted {
  readonly weight: number;
  /** Of the inner kernel's output that is weighed, and the outer kernel's own. */
  readonly output: number;
  readonly into: number;
  readonly x: number;
  readonly y: number;
}

/** Adds what one weight of an outer kernel makes of the inner one. */
function addShifted(
  to: Kernel,
  { inputs, side, values }: Kernel,
  { weight, output, into, x, y }: Shifted,
): void {
  let from = output * inputs * side * side;
  for (let i = 0; i < inputs; i++) {
    for (let row = 0; row < side; row++) {
      let at = ((into * inputs + i) * to.side + y + row) * to.side + x;
      for (let column = 0; column < side; column++, at++, from++) {
        to.values[at] = (to.values[at] as number) + weight * (values[from] as number);
      }
    }
  }
}

/** One kernel after another as a single one. */
function chained(outer: Kernel, inner: Kernel): Kernel {
  const out = zeros(outer.outputs, inner.inputs, outer.side + inner.side - 1);
  for (const [from, weight] of outer.values.entries()) {
    const [place, pair] = [from % outer.side ** 2, Math.floor(from / outer.side ** 2)];
    const [into, output] = [Math.floor(pair / outer.inputs), pair % outer.inputs];
    addShifted(out, inner, {
      weight,
      output,
      into,
      x: place % outer.side,
      y: Math.floor(place / outer.side),
    });
  }
  return out;
}

/** What a convolution makes of it. */
export function composed(kernel: Kernel, bias: ArrayLike<number>, before: Linear): Linear {
  const total = Float64Array.from(bias);
  for (const [from, weight] of kernel.values.entries()) {
    const pair = Math.floor(from / kernel.side ** 2);
    const into = Math.floor(pair / kernel.inputs);
    total[into] = (total[into] ?? 0) + weight * (before.bias[pair % kernel.inputs] ?? 0);
  }
  return {
    bias: total,
    kernels: new Map([...before.kernels].map(([name, inner]) => [name, chained(kernel, inner)])),
  };
}
