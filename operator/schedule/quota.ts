import type { QueueState } from "./world.ts";

/**
 * Quotas while a plan is made. Each queue has a nominal quota per GPU class; what it does not use, its cohort may
 * borrow, as far as `lendingLimit` of the owner and `borrowingLimit` of the borrower allow.
 *
 *     guaranteed = nominal − what may be lent          only ever used by its owner
 *     cohort:  Σ max(0, used − guaranteed)  ≤  Σ what may be lent
 *     queue:   used ≤ nominal + borrowingLimit         without a cohort: used ≤ nominal
 */
export interface QuotaRow {
  /** By class index. */
  readonly used: number[];
  readonly nominal: readonly number[];
  readonly limit: readonly number[];
  readonly guaranteed: readonly number[];
  readonly cohort: CohortRow | undefined;
}

export interface CohortRow {
  readonly name: string;
  readonly lendable: number[];
  readonly lent: number[];
}

export function quotaRow(
  state: QueueState,
  classes: readonly string[],
  cohorts: Map<string, CohortRow>,
): QuotaRow {
  const used = classes.map(() => 0);
  const quotas = classes.map((gpuClass) => state.quotas.find((one) => one.gpuClass === gpuClass));
  const nominal = quotas.map((quota) => quota?.nominal ?? 0);
  if (state.quotas.length === 0) {
    return { used, nominal, limit: classes.map(() => Infinity), guaranteed: nominal, cohort: undefined };
  }
  if (state.cohort === undefined)
    return { used, nominal, limit: nominal, guaranteed: nominal, cohort: undefined };
  const cohort = cohortRow(state.cohort, classes, cohorts);
  const lends = quotas.map((quota) => (quota ? Math.min(quota.nominal, quota.lendingLimit ?? Infinity) : 0));
  for (const [index, gpus] of lends.entries()) cohort.lendable[index] = (cohort.lendable[index] ?? 0) + gpus;
  return {
    used,
    nominal,
    limit: quotas.map((quota) => (quota ? quota.nominal + (quota.borrowingLimit ?? Infinity) : 0)),
    guaranteed: nominal.map((gpus, index) => gpus - (lends[index] ?? 0)),
    cohort,
  };
}

function cohortRow(name: string, classes: readonly string[], cohorts: Map<string, CohortRow>): CohortRow {
  let row = cohorts.get(name);
  if (!row) {
    row = { name, lendable: classes.map(() => 0), lent: classes.map(() => 0) };
    cohorts.set(name, row);
  }
  return row;
}

/** Takes GPUs of a class, or gives them back when negative. */
export function takeQuota(row: QuotaRow, gpuClass: number, gpus: number): void {
  const before = row.used[gpuClass] ?? 0;
  const guaranteed = row.guaranteed[gpuClass] ?? 0;
  row.used[gpuClass] = before + gpus;
  if (!row.cohort) return;
  const lent = Math.max(0, before + gpus - guaranteed) - Math.max(0, before - guaranteed);
  row.cohort.lent[gpuClass] = (row.cohort.lent[gpuClass] ?? 0) + lent;
}

/** The most GPUs that the queue could use if nobody else of its cohort used any. */
export function mostRoom(row: QuotaRow, gpuClass: number): number {
  const limit = row.limit[gpuClass] ?? 0;
  if (!row.cohort) return limit;
  return Math.min(limit, (row.guaranteed[gpuClass] ?? 0) + (row.cohort.lendable[gpuClass] ?? 0));
}

/** How many more GPUs the queue's own limit allows. Negative when it was lowered below the use. */
export function ownRoom(row: QuotaRow, gpuClass: number): number {
  return (row.limit[gpuClass] ?? 0) - (row.used[gpuClass] ?? 0);
}

/** How many more GPUs its cohort allows: of its own that nobody may borrow, and of what is not lent. */
export function cohortRoom(row: QuotaRow, gpuClass: number): number {
  if (!row.cohort) return Infinity;
  const own = Math.max(0, (row.guaranteed[gpuClass] ?? 0) - (row.used[gpuClass] ?? 0));
  return own + unlent(row.cohort, gpuClass);
}

export function unlent(cohort: CohortRow, gpuClass: number): number {
  return (cohort.lendable[gpuClass] ?? 0) - (cohort.lent[gpuClass] ?? 0);
}

/** True when the queue stays within its nominal quota with so many more. */
export function isEntitled(row: QuotaRow, gpuClass: number, gpus: number): boolean {
  return (row.used[gpuClass] ?? 0) + gpus <= (row.nominal[gpuClass] ?? 0);
}

export function borrowed(row: QuotaRow, gpuClass: number): number {
  return Math.max(0, (row.used[gpuClass] ?? 0) - (row.nominal[gpuClass] ?? 0));
}
