/** How much memory the process holds, and when its models are to be opened anew because of it. */
const MEBIBYTE = 2 ** 20;
/** The kernel's figure costs microseconds to read; models take and give memory over tenths of seconds. */
const LOOK_MILLIS = 25;
/** Opening models anew is worth their loading time only when it can give back so much. */
const WORTHWHILE_MEBIBYTES = 256;

export const rssMiB = () => process.memoryUsage.rss() / MEBIBYTE;

/** Looks at the process's memory while work runs elsewhere; `stop` gives the most that was seen, in MiB. */
export function watchPeak(): { readonly stop: () => number } {
  let peak = rssMiB();
  const timer = setInterval(() => {
    peak = Math.max(peak, rssMiB());
  }, LOOK_MILLIS);
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
      return Math.round(Math.max(peak, rssMiB()));
    },
  };
}

interface Marks {
  readonly highWaterMiB: number;
  /** Held after the first item with the models that are open now. */
  readonly firstMiB: number;
}

/**
 * Whether the models are to be opened anew: memory is above the mark, and has grown since the first item with
 * these models. Without the second, a mark that is too low for the models would open them for every item.
 */
export function isRecyclingDue(heldMiB: number, { highWaterMiB, firstMiB }: Marks): boolean {
  return heldMiB > highWaterMiB && heldMiB > firstMiB + WORTHWHILE_MEBIBYTES;
}
