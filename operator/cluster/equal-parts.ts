import type { OpalJob } from "#crds/opaljob.ts";

/**
 * Thousands of jobs are kept, and those of a brand say the same about it and their GPUs: equal parts are kept once.
 * Nobody changes what is in the caches.
 */
export function withEqualPartsShared(job: OpalJob): OpalJob {
  const { metadata, spec } = job;
  return {
    ...job,
    metadata: {
      ...metadata,
      labels: labels(metadata.labels),
      annotations: annotations(metadata.annotations),
      finalizers: finalizers(metadata.finalizers),
    },
    spec: {
      ...spec,
      brand: brand(spec.brand),
      stages: stages(spec.stages),
      ...(spec.gpu && { gpu: gpu(spec.gpu) }),
      ...(spec.retry && { retry: retry(spec.retry) }),
    },
  };
}

/** Of each part; with more kinds of it than that, they are gathered anew. */
const MAX_KNOWN = 256;
/** Longer ones are rarely equal, and their text would be kept too. */
const MAX_LENGTH = 8192;

/** Gives the first of all values that are equal as JSON, in the order of their fields too. */
export function sharing<T extends object>(): (value: T) => T {
  const known = new Map<string, T>();
  return (value) => {
    const text = JSON.stringify(value);
    const first = known.get(text);
    if (first) return first;
    if (text.length > MAX_LENGTH) return value;
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(text, value);
    return value;
  };
}

const labels = sharing<OpalJob["metadata"]["labels"]>();
const annotations = sharing<OpalJob["metadata"]["annotations"]>();
const finalizers = sharing<OpalJob["metadata"]["finalizers"]>();
const brand = sharing<OpalJob["spec"]["brand"]>();
const stages = sharing<OpalJob["spec"]["stages"]>();
const gpu = sharing<NonNullable<OpalJob["spec"]["gpu"]>>();
const retry = sharing<NonNullable<OpalJob["spec"]["retry"]>>();
