import { readFile, writeFile } from "node:fs/promises";
import { parse, stringify } from "yaml";

/** Writes a copy of a kubeconfig whose clusters are all found at another server, with that server's authority. */
export async function writeProxiedKubeconfig(
  from: string,
  to: string,
  { server, ca }: { readonly server: URL; readonly ca: string },
): Promise<void> {
  const config = parse(await readFile(from, "utf8")) as { clusters: { name: string }[] };
  const cluster = {
    server: server.origin,
    "certificate-authority-data": Buffer.from(ca).toString("base64"),
  };
  const clusters = config.clusters.map(({ name }) => ({ name, cluster }));
  await writeFile(to, stringify({ ...config, clusters }), { mode: 0o600 });
}
