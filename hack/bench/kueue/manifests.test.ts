import { expect, it } from "vitest";
import { crdObjects, webhookObjects } from "./manifests.ts";

const service = (path: string) => ({
  service: { path, name: "kueue-webhook-service", namespace: "kueue-system", port: 9443 },
});

it("leaves the webhooks of what the manager serves, and leads them to its port", () => {
  const text = `---
kind: MutatingWebhookConfiguration
metadata: {name: mutating-webhook-configuration}
webhooks:
- name: job
  clientConfig: {service: {name: webhook-service, namespace: system, path: /mutate-batch-v1-job}}
- name: pod
  clientConfig: {service: {name: webhook-service, namespace: system, path: /mutate--v1-pod}}
`;
  expect(webhookObjects(text, 9443)).toEqual([
    {
      kind: "MutatingWebhookConfiguration",
      metadata: { name: "kueue-mutating-webhook-configuration" },
      webhooks: [{ name: "job", clientConfig: service("/mutate-batch-v1-job") }],
    },
  ]);
});

it("gives the kinds that an installation converts their conversion webhook, and no others", () => {
  const crd = (name: string) => `kind: CustomResourceDefinition
metadata: {name: ${name}.kueue.x-k8s.io}
spec: {group: kueue.x-k8s.io}`;
  const patch = (name: string) => `kind: CustomResourceDefinition
metadata: {name: ${name}.kueue.x-k8s.io}
spec:
  conversion:
    strategy: Webhook
    webhook: {conversionReviewVersions: [v1], clientConfig: {service: {path: /convert}}}`;
  const bases = [crd("workloads"), crd("resourceflavors")];
  const patches = [patch("workloads"), patch("resourceflavors")];
  expect(crdObjects(bases, patches, 9443)).toEqual([
    expect.objectContaining({
      spec: {
        group: "kueue.x-k8s.io",
        conversion: {
          strategy: "Webhook",
          webhook: { conversionReviewVersions: ["v1"], clientConfig: service("/convert") },
        },
      },
    }),
    expect.objectContaining({ spec: { group: "kueue.x-k8s.io" } }),
  ]);
  expect(() => crdObjects([crd("workloads")], [], 9443)).toThrow("no conversion patch for workloads");
});
