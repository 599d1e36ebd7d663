/**
 * What kwok is told of fake nodes and their pods, as its configuration file. A runner's pod runs for a while and then
 * gives every item of its manifest, which is in its annotation, a good verdict. Pure.
 */
import { ANNOTATIONS } from "#crds/names.ts";
import { stringify } from "yaml";

const API_VERSION = "kwok.x-k8s.io/v1alpha1";

/** Heartbeats of a node are due by its lease; kwok keeps it. */
const NODE_LEASE_SECONDS = 40;

/** Of kwok's template language: Go's, with the functions of sprig. */
const RUNNING = `{{ $now := Now }}
phase: Running
startTime: {{ $now | Quote }}
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
podIP: {{ PodIPWith .spec.nodeName false .metadata.uid .metadata.name .metadata.namespace | Quote }}
conditions:
{{ range list "Initialized" "Ready" "ContainersReady" }}
- { type: {{ . }}, status: "True", lastTransitionTime: {{ $now | Quote }} }
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: true
  started: true
  restartCount: 0
  state: { running: { startedAt: {{ $now | Quote }} } }
{{ end }}
`;

/** Items are numbered by slot where several jobs share the pod, else by index. */
const ENDED = `{{ $now := Now }}
{{ $manifest := fromJson (index .metadata.annotations "${ANNOTATIONS.manifest}") }}
{{ $done := list }}
{{ range (default (list $manifest) $manifest.parts) }}
{{ range .items }}
{{ $done = append $done (ternary .slot .index (hasKey . "slot") | int | toString) }}
{{ end }}
{{ end }}
{{ $verdict := dict "v" 1 "done" (join "," $done) "failed" list "stages" dict "gpuSeconds" 0 "coldStartSeconds" 0 }}
{{ $started := .status.startTime }}
phase: Succeeded
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: false
  started: false
  restartCount: 0
  state:
    terminated:
      exitCode: 0
      reason: Completed
      message: {{ $verdict | toJson | Quote }}
      startedAt: {{ $started | Quote }}
      finishedAt: {{ $now | Quote }}
{{ end }}
`;

export interface FakeRun {
  /** How long a pod runs. */
  readonly runMilliseconds: number;
}

/** @returns YAML documents for `kwok --config`. Nodes are kwok's own default. */
export function kwokConfig({ runMilliseconds }: FakeRun): string {
  const isLiving = { key: ".metadata.deletionTimestamp", operator: "DoesNotExist" };
  const isDeleted = { key: ".metadata.deletionTimestamp", operator: "Exists" };
  const hasPhase = (phase: string) => ({ key: ".status.phase", operator: "In", values: [phase] });
  const documents = [
    {
      apiVersion: "config.kwok.x-k8s.io/v1alpha1",
      kind: "KwokConfiguration",
      options: { manageAllNodes: true, nodeLeaseDurationSeconds: NODE_LEASE_SECONDS, enableCRDs: [] },
    },
    stage("pod-running", [isLiving, hasPhase("Pending")], { next: { statusTemplate: RUNNING } }),
    stage("pod-ended", [isLiving, hasPhase("Running")], {
      delay: { durationMilliseconds: runMilliseconds },
      next: { statusTemplate: ENDED },
    }),
    stage("pod-deleted", [isDeleted], { next: { finalizers: { empty: true }, delete: true } }),
  ];
  return documents.map((document) => stringify(document)).join("---\n");
}

function stage(name: string, matchExpressions: readonly object[], rest: object): object {
  return {
    apiVersion: API_VERSION,
    kind: "Stage",
    metadata: { name },
    spec: { resourceRef: { apiGroup: "v1", kind: "Pod" }, selector: { matchExpressions }, ...rest },
  };
}
