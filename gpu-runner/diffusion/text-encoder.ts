/** Prompts as the UNet reads them: a row of numbers for each token, and in SDXL one for the prompt as a whole. */
import type { OnnxPart } from "./onnx-part.ts";
import type { Tokenizer } from "./tokenizer/tokenizer.ts";

/** Positions of one chunk: start, 75 tokens, end. */
const CHUNK = 77;

export interface Conditioning {
  /** [tokens, width] */
  readonly hidden: Float32Array;
  readonly tokens: number;
  readonly width: number;
  /** SDXL's reading of the whole prompt. */
  readonly pooled: Float32Array | undefined;
}

export interface Prompts {
  readonly prompt: string;
  /** What is not wanted; without it nothing is said, which SDXL tells from an empty prompt. */
  readonly negative: string | undefined;
}

export interface TextEncoder {
  /** Both are equally long: the shorter prompt is filled up with empty chunks. */
  encode(prompts: Prompts): Promise<{ readonly positive: Conditioning; readonly negative: Conditioning }>;
}

export interface TextPart {
  readonly tokenizer: Tokenizer;
  readonly part: OnnxPart;
}

interface TextOptions {
  /** SDXL: the last hidden layer but one is read, and the second encoder's view of the whole prompt. */
  readonly isXl: boolean;
  /** SDXL: where nothing is said of what is not wanted, zeros stand for it. */
  readonly zerosForNone: boolean;
}

/** The output that holds the layer before the last. */
function penultimate({ outputs }: OnnxPart): string {
  const layers = [...outputs.keys()].flatMap((name) => /^hidden_states\.(\d+)$/.exec(name)?.[1] ?? []);
  const last = Math.max(...layers.map(Number));
  if (last < 1) throw new TypeError("the text encoder gives no hidden_states, which SDXL needs");
  return `hidden_states.${last - 1}`;
}

async function run(part: OnnxPart, chunks: readonly Int32Array[], outputs: readonly string[]) {
  const ids = new Int32Array(chunks.length * CHUNK);
  for (const [i, chunk] of chunks.entries()) ids.set(chunk, i * CHUNK);
  return part.run({ input_ids: part.tensor("input_ids", ids, [chunks.length, CHUNK]) }, outputs);
}

/** Two readings of the same tokens, side by side. */
function besides(a: Conditioning, b: Conditioning): Conditioning {
  const width = a.width + b.width;
  const hidden = new Float32Array(a.tokens * width);
  for (let token = 0; token < a.tokens; token++) {
    hidden.set(a.hidden.subarray(token * a.width, (token + 1) * a.width), token * width);
    hidden.set(b.hidden.subarray(token * b.width, (token + 1) * b.width), token * width + a.width);
  }
  return { hidden, tokens: a.tokens, width, pooled: b.pooled };
}

async function read({ tokenizer, part }: TextPart, prompt: string, chunkCount: number, isXl: boolean) {
  const { chunks } = tokenizer.encode(prompt);
  const [empty] = tokenizer.encode("").chunks;
  const filled = Array.from({ length: chunkCount }, (_, i) => chunks[i] ?? empty ?? new Int32Array(CHUNK));
  const outputs = [isXl ? penultimate(part) : "last_hidden_state"];
  if (part.outputs.has("text_embeds")) outputs.push("text_embeds");
  const [hidden = new Float32Array(), embeds] = await run(part, filled, outputs);
  const tokens = chunkCount * CHUNK;
  return {
    hidden,
    tokens,
    width: hidden.length / tokens,
    pooled: embeds?.slice(0, embeds.length / chunkCount),
  };
}

const zeros = ({ hidden, tokens, width, pooled }: Conditioning): Conditioning => ({
  hidden: new Float32Array(hidden.length),
  tokens,
  width,
  pooled: pooled && new Float32Array(pooled.length),
});

export function createTextEncoder(
  texts: readonly TextPart[],
  { isXl, zerosForNone }: TextOptions,
): TextEncoder {
  const chunksOf = (prompt: string) =>
    Math.max(...texts.map(({ tokenizer }) => tokenizer.encode(prompt).chunks.length));

  async function readAll(prompt: string, chunkCount: number): Promise<Conditioning> {
    const readings: Conditioning[] = [];
    for (const text of texts) readings.push(await read(text, prompt, chunkCount, isXl));
    const [first, ...others] = readings;
    if (!first) throw new RangeError("a model without a text encoder");
    return others.reduce(besides, first);
  }

  return {
    async encode({ prompt, negative }) {
      const chunkCount = Math.max(chunksOf(prompt), chunksOf(negative ?? ""));
      const positive = await readAll(prompt, chunkCount);
      if (negative === undefined && isXl && zerosForNone) return { positive, negative: zeros(positive) };
      return { positive, negative: await readAll(negative ?? "", chunkCount) };
    },
  };
}
