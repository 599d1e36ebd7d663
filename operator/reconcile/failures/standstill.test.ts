import { describe, expect, it } from "vitest";
import { aChild, anObserved, anOpalJob, aPod, START_MS } from "../testing.ts";
import type { ObservedChild } from "../observed.ts";
import { hindranceOf, type Standstill, standstillsOf } from "./standstill.ts";

const kindsOf = (child: Partial<ObservedChild>, changes: object = {}) =>
  standstillsOf(anObserved({ children: [aChild(child)], ...changes })).map(({ kind }) => kind);
const starting = {
  phase: "Pending",
  startedAtMs: undefined,
  nodeName: "a",
  scheduledAtMs: START_MS,
} as const;
const twoShards = { items: [0, 1, 2, 3, 4], parallelism: 2 };

describe("what stands still", () => {
  it.each([
    { what: "a child without a pod", child: {}, want: ["pods-missing"] },
    {
      what: "a child with fewer pods than GPUs",
      child: { ...twoShards, pods: [aPod()] },
      want: ["pods-missing"],
    },
    {
      what: "a pod on a node that does not start",
      child: { pods: [aPod(starting)] },
      want: ["pod-not-starting"],
    },
    {
      what: "both",
      child: { ...twoShards, pods: [aPod(starting)] },
      want: ["pods-missing", "pod-not-starting"],
    },
  ])("$what", ({ child, want }) => {
    expect(kindsOf(child)).toEqual(want);
  });

  it.each([
    { what: "a child whose pod runs", child: { pods: [aPod()] } },
    {
      what: "a pod without a node: the scheduler says why",
      child: { pods: [aPod({ ...starting, scheduledAtMs: undefined })] },
    },
    {
      what: "a pod that says itself why it waits",
      child: { pods: [aPod({ ...starting, waitingReason: "ImagePullBackOff" })] },
    },
    { what: "a pod of a lost node", child: { pods: [aPod({ ...starting, unreachableSinceMs: START_MS })] } },
    { what: "a pod that is being deleted", child: { pods: [aPod({ ...starting, isDeleting: true })] } },
    { what: "a child that holds no GPU", child: { parallelism: 0 } },
    { what: "a child that Kueue has not admitted", child: { isSuspended: true } },
    { what: "a child that has ended", child: { isEnded: true } },
    { what: "a child without an open shard", child: { parallelism: 2, succeededShards: new Set([0]) } },
    { what: "a job that is being deleted", child: {}, changes: { deletedAtMs: START_MS } },
    {
      what: "a job that is finished",
      child: {},
      changes: {
        job: anOpalJob({
          status: {
            conditions: [
              {
                type: "Failed",
                status: "True",
                reason: "AllItemsFailed",
                message: "",
                lastTransitionTime: "2026-01-01T12:00:00Z",
              },
            ],
          },
        }),
      },
    },
  ])("not $what", ({ child, changes }) => {
    expect(kindsOf(child, changes)).toEqual([]);
  });

  it("counts from the last time that a pod was created or ended", () => {
    const pods = [aPod({ shard: 0, phase: "Succeeded", finishedAtMs: START_MS + 40_000 })];
    const child = aChild({ ...twoShards, parallelism: 1, succeededShards: new Set([0]), pods });
    expect(standstillsOf(anObserved({ children: [child] }))).toEqual([
      { kind: "pods-missing", uid: "child-1", name: "coffee-1", sinceMs: START_MS + 40_000 },
    ]);
  });
});

const missing: Standstill = { kind: "pods-missing", uid: "child-1", name: "cups-1", sinceMs: START_MS };
const notStarting: Standstill = { ...missing, kind: "pod-not-starting", name: "cups-1-0-x2x" };
const create = (message: string, lastSeenMs = START_MS) => ({ reason: "FailedCreate", message, lastSeenMs });
const quota =
  'pods "cups-1-0-" is forbidden: exceeded quota: small, requested: pods=1, used: pods=0, limited: pods=0';

describe("why", () => {
  it.each([
    {
      words: quota,
      want: "quota: ResourceQuota small leaves no room for the job's pods: requested: pods=1, used: pods=0, limited: pods=0. It goes on by itself, within a minute, once the quota has room.",
    },
    {
      words: 'pods "cups-1-0-" is forbidden: status unknown for quota: small, resources: pods',
      want: "quota: ResourceQuota small has not been counted yet. It goes on by itself once Kubernetes has done so.",
    },
    {
      words: 'pods "cups-1-0-" is forbidden: failed quota: small: must specify limits.cpu for: runner',
      want: "config: ResourceQuota small takes only pods that specify what they need: limits.cpu for: runner. Set runner.resources in the operator's settings, then delete Job cups-1.",
    },
    {
      words:
        'pods "cups-1-0-" is forbidden: error looking up service account opal/opal-runner: serviceaccount "opal-runner" not found',
      want: "config: The pods' ServiceAccount opal-runner does not exist. It goes on by itself, within a minute, once it is created.",
    },
    {
      words: 'pods "cups-1-0-" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
      want: "config: The namespace's pod security level restricted:latest refuses the job's pods: runAsNonRoot != true. It goes on by itself once the level allows them.",
    },
    {
      words: 'pods "cups-1-0-" is forbidden: maximum memory usage per Container is 1Gi, but limit is 8Gi',
      want: "config: A LimitRange of the namespace refuses the job's pods: maximum memory usage per Container is 1Gi, but limit is 8Gi. Change it; or change runner.resources in the operator's settings, then delete Job cups-1.",
    },
    {
      words: `pods "cups-1-0-" is forbidden: ValidatingAdmissionPolicy 'signed' with binding 'signed' denied request: unsigned image`,
      want: "config: ValidatingAdmissionPolicy signed refuses the job's pods: unsigned image. It goes on by itself once the policy allows them.",
    },
    {
      words: 'admission webhook "gate.example.com" denied the request: no team label',
      want: "config: Admission webhook gate.example.com refuses the job's pods: no team label. It goes on by itself once the webhook allows them.",
    },
    {
      words: 'Internal error occurred: failed calling webhook "gate.example.com": context deadline exceeded',
      want: "unknown: Admission webhook gate.example.com does not answer, so that no pod is created: context deadline exceeded. It goes on by itself once it does.",
    },
    {
      words: "etcdserver: no leader",
      want: "unknown: Kubernetes does not create the job's pods: etcdserver: no leader. It goes on by itself once they can be created.",
    },
  ])("$words", ({ words, want }) => {
    const found = hindranceOf(missing, [create(`Error creating: ${words}`)], START_MS);
    expect(`${found?.class}: ${found?.message}`).toBe(want);
  });

  it.each([
    {
      reason: "FailedMount",
      words: 'MountVolume.SetUp failed for volume "blob" : secret "opal-runner-blob" not found',
      want: "config: Pod cups-1-0-x2x needs the Secret opal-runner-blob, which does not exist. It goes on by itself once that is created.",
    },
    {
      reason: "FailedMount",
      words: "Unable to attach or mount volumes: timed out waiting for the condition",
      want: "storage: A volume of pod cups-1-0-x2x cannot be mounted: Unable to attach or mount volumes: timed out waiting for the condition. Kubernetes tries it again and again.",
    },
    {
      reason: "FailedAttachVolume",
      words: 'Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node',
      want: 'storage: A volume of pod cups-1-0-x2x cannot be attached to its node: Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node. Kubernetes tries it again and again.',
    },
    {
      reason: "FailedCreatePodSandBox",
      words: "failed to setup network",
      want: "node: The node of pod cups-1-0-x2x cannot set it up: failed to setup network. Kubernetes tries it again and again.",
    },
  ])("a pod: $words", ({ reason, words, want }) => {
    const found = hindranceOf(notStarting, [{ reason, message: words, lastSeenMs: START_MS }], START_MS);
    expect(`${found?.class}: ${found?.message}`).toBe(want);
  });

  it("cuts Kubernetes' words rather than what would mend it", () => {
    const found = hindranceOf(missing, [create(quota.replace("pods=1", "pods=1,".repeat(99)))], START_MS);
    expect(found?.message.length).toBeLessThanOrEqual(230);
    expect(found?.message).toMatch(/…\. It goes on by itself, within a minute, once the quota has room\.$/);
  });

  it("is what was seen last, of what is seen now", () => {
    const denied = create("Error creating: etcdserver: no leader", START_MS + 1000);
    const older = create(quota, START_MS);
    expect(hindranceOf(missing, [denied, older], START_MS + 2000)?.message).toContain("no leader");
    expect(
      hindranceOf({ ...missing, sinceMs: START_MS + 5000 }, [denied, older], START_MS + 6000),
    ).toBeUndefined();
    expect(hindranceOf(missing, [older], START_MS + 601_000)).toBeUndefined();
    expect(hindranceOf(notStarting, [older], START_MS)).toBeUndefined();
  });
});
