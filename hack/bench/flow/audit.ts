/**
 * Writes as the API server counts them, with who made them: its audit log at level Metadata. The counters of
 * /metrics say the same sums, but not whose they are.
 */
import { open, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

const POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    verbs: [get, list, watch]
  - level: None
    resources: [{ group: coordination.k8s.io, resources: [leases] }]
  - level: Metadata
`;

export interface AuditLog {
  readonly apiserverArgs: readonly string[];
  /** Where the log ends now, in bytes. */
  end(): Promise<number>;
  since(offset: number): Promise<Write[]>;
}

export interface Write {
  readonly user: string;
  readonly verb: string;
  /** `pods/status` for a subresource. */
  readonly resource: string;
}

const AuditEvent = z.object({
  verb: z.string(),
  user: z.object({ username: z.string() }),
  objectRef: z.object({ resource: z.string(), subresource: z.string().optional() }).optional(),
});

export async function createAuditLog(folder: string): Promise<AuditLog> {
  const policy = join(folder, "audit-policy.yaml");
  const file = join(folder, "audit.log");
  await writeFile(policy, POLICY);
  const end = () => stat(file).then(({ size }) => size);
  return {
    apiserverArgs: [`--audit-policy-file=${policy}`, `--audit-log-path=${file}`, "--audit-log-maxsize=10000"],
    end,
    async since(offset) {
      const handle = await open(file);
      try {
        const buffer = Buffer.alloc((await end()) - offset);
        await handle.read(buffer, 0, buffer.length, offset);
        return parseWrites(buffer.toString("utf8"));
      } finally {
        await handle.close();
      }
    },
  };
}

/** @param text lines of an audit log; a last line that is not complete yet is left out */
export function parseWrites(text: string): Write[] {
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  return lines.filter(Boolean).flatMap((line) => {
    const { verb, user, objectRef } = AuditEvent.parse(JSON.parse(line));
    if (!objectRef) return [];
    const { resource, subresource } = objectRef;
    return [{ user: user.username, verb, resource: subresource ? `${resource}/${subresource}` : resource }];
  });
}

/** How many writes of each kind, most first: `patch opaljobs/status`. */
export function countByKind(writes: readonly Write[]): [kind: string, count: number][] {
  const counts = new Map<string, number>();
  for (const { verb, resource } of writes) {
    const kind = `${verb} ${resource}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}
