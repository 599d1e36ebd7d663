import { readFile, writeFile } from "node:fs/promises";
import { parse, stringify } from "yaml";
import * as z from "zod";
import type { Cluster } from "../../dev-cluster/cluster.ts";

/** A service account and the file that takes its kubeconfig. */
export interface Account {
  readonly namespace: string;
  readonly name: string;
  readonly file: string;
}

/** Longer than any run. */
const TOKEN_DURATION = "4h";
const Kubeconfig = z.looseObject({ users: z.tuple([z.looseObject({ name: z.string() })]) });

/**
 * A kubeconfig with the token of a service account, as programs in a cluster have it: a client certificate is
 * checked anew at each request, which takes the API server a twentieth of its time, a token once in ten seconds.
 * @returns the file's path
 */
export async function tokenAccess(cluster: Cluster, { namespace, name, file }: Account): Promise<string> {
  const duration = ["--duration", TOKEN_DURATION];
  const token = await kubectl(cluster, ["create", "token", name, "--namespace", namespace, ...duration]);
  const kubeconfig = Kubeconfig.parse(parse(await readFile(cluster.kubeconfig(), "utf8")));
  const users = kubeconfig.users.map((user) => ({ name: user.name, user: { token: token.trim() } }));
  await writeFile(file, stringify({ ...kubeconfig, users }), { mode: 0o600 });
  return file;
}

/** The same for an account that may do everything, which is made for it. */
export async function adminTokenAccess(cluster: Cluster, file: string): Promise<string> {
  const account = { namespace: "default", name: "bench-admin" };
  const id = `${account.namespace}:${account.name}`;
  await kubectl(cluster, ["create", "serviceaccount", account.name, "--namespace", account.namespace]);
  const binding = ["clusterrolebinding", account.name, "--clusterrole=cluster-admin"];
  await kubectl(cluster, ["create", ...binding, `--serviceaccount=${id}`]);
  return tokenAccess(cluster, { ...account, file });
}

async function kubectl(cluster: Cluster, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(args);
  if (code !== 0) throw new Error(`kubectl ${args.slice(0, 2).join(" ")} failed: ${stderr}`);
  return stdout;
}
