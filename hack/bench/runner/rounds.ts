/** What is measured: cuts beside rembg, enlargements beside plain onnxruntime, and memory over a long run. */
import { join } from "node:path";
import { mean } from "../../eval/figures.ts";
import { median, quantile } from "../report.ts";
import { type BenchPhotos, ENLARGED_SIDE, roundRobin } from "./photos.ts";
import { settledSlope } from "./slope.ts";
import type { Answered, WorkedProgram } from "../worked-program.ts";

const BYTES_A_MEGABYTE = 1e6;

export interface Rounds {
  readonly ours: WorkedProgram;
  readonly photos: BenchPhotos;
  readonly dir: string;
  readonly onProgress: (text: string) => void;
}

type Figures = Record<string, number>;
type Ask = (i: number) => Promise<Answered>;

/** Ours and the peer's answers, in turns, each first in every other round; the first round warms up. */
async function alternate(count: number, ours: Ask, peer: Ask, onProgress: Rounds["onProgress"]) {
  const answers: { ours: Answered[]; peer: Answered[] } = { ours: [], peer: [] };
  for (let i = 0; i <= count; i++) {
    onProgress(`${i} of ${count}`);
    const first = i % 2 === 0 ? await ours(i) : undefined;
    const theirs = await peer(i);
    const mine = first ?? (await ours(i));
    if (i === 0) continue;
    answers.ours.push(mine);
    answers.peer.push(theirs);
  }
  return answers;
}

const secondsOf = (answers: readonly Answered[]) => answers.map(({ seconds }) => seconds);
const cpuOf = (answers: readonly Answered[]) => mean(answers.map(({ cpuSeconds }) => cpuSeconds));

/** Cuts each photo by both, files to files. */
export async function cutRounds(
  { ours, photos, dir, onProgress }: Rounds,
  rembg: WorkedProgram,
  count: number,
): Promise<Figures> {
  const out = join(dir, "cut.png");
  const answers = await alternate(
    count,
    (i) => ours.ask({ stages: ["segment"], input: roundRobin(photos.whole, i), out }),
    (i) => rembg.ask({ photo: roundRobin(photos.whole, i), out }),
    onProgress,
  );
  const [mine, theirs] = [secondsOf(answers.ours), secondsOf(answers.peer)];
  const ratios = mine.map((seconds, i) => seconds / (theirs[i] ?? NaN));
  return {
    // Of the whole batch: large photos take longer, and a median would not tell.
    ratio_rembg_seconds: mean(mine) / mean(theirs),
    ratio_rembg_seconds_p10: quantile(ratios, 0.1),
    ratio_rembg_seconds_p90: quantile(ratios, 0.9),
    segment_seconds: mean(mine),
    rembg_seconds: mean(theirs),
    segment_cpu_seconds: cpuOf(answers.ours),
    rembg_cpu_seconds: cpuOf(answers.peer),
    rembg_peak_rss_mb: (await rembg.memory()).peakBytes / BYTES_A_MEGABYTE,
  };
}

/** Enlarges each picture by both, files to files. */
export async function enlargeRounds(
  { ours, photos, dir, onProgress }: Rounds,
  peer: WorkedProgram,
  count: number,
): Promise<Figures> {
  const task = (i: number) => ({ input: roundRobin(photos.square, i), out: join(dir, "large.png") });
  const answers = await alternate(
    count,
    (i) => ours.ask({ stages: ["upscale"], ...task(i) }),
    (i) => peer.ask(task(i)),
    onProgress,
  );
  const megapixels = ENLARGED_SIDE ** 2 / 1e6;
  const [mine, theirs] = [median(secondsOf(answers.ours)), median(secondsOf(answers.peer))];
  return {
    ratio_esrgan_seconds: mine / theirs,
    esrgan_seconds_per_megapixel: mine / megapixels,
    peer_esrgan_seconds_per_megapixel: theirs / megapixels,
    esrgan_cpu_seconds: cpuOf(answers.ours),
    peer_esrgan_cpu_seconds: cpuOf(answers.peer),
  };
}

/** Takes photos as they are kept through all stages. A photo that shows no product is told, not counted. */
export async function wholeRounds(
  { ours, photos, dir, onProgress }: Rounds,
  count: number,
): Promise<Figures> {
  const done: Answered[] = [];
  let refused = 0;
  for (let i = 0; i < count; i++) {
    onProgress(`${i} of ${count}`);
    const input = roundRobin(photos.whole, i);
    const stages = ["segment", "place", "upscale"];
    const answer = await ours.ask({ stages, input, out: join(dir, "whole.png") }).catch(() => undefined);
    if (answer) done.push(answer);
    else refused++;
  }
  if (done.length === 0) throw new Error("not one photo went through all stages");
  const stage = (name: string) =>
    median(done.map(({ answer }) => Number((answer["seconds"] as Record<string, unknown>)[name])));
  const { peakBytes } = await ours.memory();
  return {
    pictures_per_minute: 60 / mean(secondsOf(done)),
    refused_pictures: refused,
    place_seconds: stage("place"),
    upscale_seconds: stage("upscale"),
    cpu_seconds_per_picture: cpuOf(done),
    event_loop_p99_ms: Number(done.at(-1)?.answer["eventLoopP99Millis"]),
    peak_rss_mb: peakBytes / BYTES_A_MEGABYTE,
  };
}

/** Small pictures through all stages, memory looked at after each. */
export async function longRounds({ ours, photos, dir, onProgress }: Rounds, count: number): Promise<Figures> {
  const held: number[] = [];
  for (let i = 0; i < count; i++) {
    if (i % 10 === 0) onProgress(`${i} of ${count}`);
    const stages = ["segment", "place", "upscale"];
    const input = roundRobin(photos.small, i);
    await ours.ask({ stages, input, out: join(dir, "small.png") }).catch(() => undefined);
    held.push((await ours.memory()).heldBytes / BYTES_A_MEGABYTE);
  }
  return { rss_slope_mb_per_picture: settledSlope(held), long_pictures: count };
}
