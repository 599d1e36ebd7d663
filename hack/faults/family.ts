/**
 * What the replicas work on: parents and children, ConfigMaps both. Every parent shall have exactly one child, which
 * holds the parent's value; a parent that was deleted and made again has another uid and needs another child.
 */
import type { Resource } from "../../operator/runtime/api-client.ts";

export interface Member {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly value: string;
}

export interface Child extends Member {
  readonly parentName: string;
  readonly parentUid: string;
}

/** What is to be done for one parent's name, the next thing only. */
export type Step =
  | { readonly do: "nothing" }
  | { readonly do: "create"; readonly parent: Member }
  | { readonly do: "update"; readonly child: Child; readonly value: string }
  | { readonly do: "delete"; readonly child: Child };

const KIND_LABEL = "faults.opal.dev/kind";
const PARENT_LABEL = "faults.opal.dev/parent";
export const PARENTS = `${KIND_LABEL}=parent`;
export const CHILDREN = `${KIND_LABEL}=child`;

export function configMapsIn(namespace: string): Resource {
  return { group: "", version: "v1", plural: "configmaps", namespace };
}

export function nextStep(parent: Member | undefined, children: readonly Child[]): Step {
  const orphan = children.find((child) => child.parentUid !== parent?.uid);
  if (orphan) return { do: "delete", child: orphan };
  if (!parent) return { do: "nothing" };
  const [child] = children;
  if (!child) return { do: "create", parent };
  return child.value === parent.value ? { do: "nothing" } : { do: "update", child, value: parent.value };
}

interface Raw {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
}

export function toMember(raw: unknown): Member {
  const { metadata, data } = raw as Raw;
  const { name, uid, resourceVersion } = metadata;
  return { name, uid, resourceVersion, value: data?.["value"] ?? "" };
}

export function toChild(raw: unknown): Child {
  const { metadata, data } = raw as Raw;
  return {
    ...toMember(raw),
    parentName: metadata.labels?.[PARENT_LABEL] ?? "",
    parentUid: data?.["parentUid"] ?? "",
  };
}

export function parentManifest(name: string, value: string) {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, labels: { [KIND_LABEL]: "parent" } },
    data: { value },
  };
}

/** Its name is derived from the parent's name and uid, so that a repeated create meets itself. */
export function childManifest(parent: Member) {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: `${parent.name}-child-${parent.uid.slice(0, 8)}`,
      labels: { [KIND_LABEL]: "child", [PARENT_LABEL]: parent.name },
    },
    data: { value: parent.value, parentUid: parent.uid },
  };
}
