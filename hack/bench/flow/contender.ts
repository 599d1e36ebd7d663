import type { Resource } from "../../../operator/runtime/api-client.ts";
import type { Cluster } from "../../dev-cluster/cluster.ts";
import type { Reaper } from "../../processes/reaper.ts";

/** Who runs the jobs. Each is started on a cluster of its own and given the same number of jobs. */
export interface Contender {
  readonly name: string;
  /** What is created for a job, and tells when it is over: by the condition Complete. */
  readonly resource: Resource;
  /** Where its pods are. */
  readonly namespace: string;
  job(name: string): object;
  start(place: Place): Promise<Manager>;
}

export interface Place {
  readonly cluster: Cluster;
  /** For its files; removed with the round. */
  readonly folder: string;
  readonly reaper: Reaper;
}

export interface Manager {
  /** Undefined where Kubernetes' own controllers are all there is. */
  readonly process?: { readonly pid: number; readonly user: string };
  stop(): Promise<void>;
}
