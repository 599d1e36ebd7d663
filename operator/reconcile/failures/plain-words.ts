/** Events in words for people: what is the matter, and what would mend it. Nothing branches on them. */
import type { PodEvent } from "./evidence.ts";

/** Characters; the message of a condition has room for them and a little more. What mends it is never cut off. */
const MAX_LENGTH = 230;

interface Explanation {
  readonly pattern: RegExp;
  /** With the pattern's groups and the name of the Job or pod; what stands in `detail` is cut when it is long. */
  readonly say: (groups: readonly string[], name: string) => Words;
}

interface Words {
  readonly what: string;
  readonly detail?: string | undefined;
  readonly remedy: string;
}

const NOT_CREATED: readonly Explanation[] = [
  {
    pattern: /exceeded quota: ([^,]+), (.+)/is,
    say: ([quota, numbers]) => ({
      what: `ResourceQuota ${quota} leaves no room for the job's pods`,
      detail: numbers,
      remedy: "It goes on by itself, within a minute, once the quota has room.",
    }),
  },
  {
    pattern: /status unknown for quota: ([^,]+)/i,
    say: ([quota]) => ({
      what: `ResourceQuota ${quota} has not been counted yet`,
      remedy: "It goes on by itself once Kubernetes has done so.",
    }),
  },
  {
    pattern: /failed quota: ([^:]+): must specify (.+)/is,
    say: ([quota, fields], name) => ({
      what: `ResourceQuota ${quota} takes only pods that specify what they need`,
      detail: fields,
      remedy: `Set runner.resources in the operator's settings, then delete Job ${name}.`,
    }),
  },
  {
    pattern: /serviceaccount "([^"]+)" not found/i,
    say: ([account]) => ({
      what: `The pods' ServiceAccount ${account} does not exist`,
      remedy: "It goes on by itself, within a minute, once it is created.",
    }),
  },
  {
    pattern: /violates PodSecurity "([^"]+)":? ?(.*)/is,
    say: ([level, why]) => ({
      what: `The namespace's pod security level ${level} refuses the job's pods`,
      detail: why,
      remedy: "It goes on by itself once the level allows them.",
    }),
  },
  {
    pattern: /((?:minimum|maximum) .+ (?:per (?:container|pod)|limit to request ratio).+)/is,
    say: ([why], name) => ({
      what: "A LimitRange of the namespace refuses the job's pods",
      detail: why,
      remedy: `Change it; or change runner.resources in the operator's settings, then delete Job ${name}.`,
    }),
  },
  {
    pattern: /ValidatingAdmissionPolicy '([^']+)'.* denied request: (.*)/is,
    say: ([policy, why]) => ({
      what: `ValidatingAdmissionPolicy ${policy} refuses the job's pods`,
      detail: why,
      remedy: "It goes on by itself once the policy allows them.",
    }),
  },
  {
    pattern: /admission webhook "([^"]+)" denied the request:? ?(.*)/is,
    say: ([webhook, why]) => ({
      what: `Admission webhook ${webhook} refuses the job's pods`,
      detail: why,
      remedy: "It goes on by itself once the webhook allows them.",
    }),
  },
  {
    pattern: /failed calling webhook "([^"]+)":? ?(.*)/is,
    say: ([webhook, why]) => ({
      what: `Admission webhook ${webhook} does not answer, so that no pod is created`,
      detail: why,
      remedy: "It goes on by itself once it does.",
    }),
  },
  {
    pattern: /^(?:Error creating: )?(.*)$/is,
    say: ([why]) => ({
      what: "Kubernetes does not create the job's pods",
      detail: why,
      remedy: "It goes on by itself once they can be created.",
    }),
  },
];

const MISSING: Explanation = {
  pattern: /(configmap|secret|persistentvolumeclaim) "([^"]+)" not found/i,
  say: ([kind = "", missing], pod) => ({
    what: `Pod ${pod} needs the ${KINDS[kind.toLowerCase()] ?? kind} ${missing}, which does not exist`,
    remedy: "It goes on by itself once that is created.",
  }),
};
const KINDS: Readonly<Record<string, string>> = {
  configmap: "ConfigMap",
  secret: "Secret",
  persistentvolumeclaim: "PersistentVolumeClaim",
};

const anyOf = (what: (pod: string) => string, remedy: string): Explanation => ({
  pattern: /^(.*)$/s,
  say: ([why], pod) => ({ what: what(pod), detail: why, remedy }),
});

const EXPLANATIONS: Readonly<Record<string, readonly Explanation[]>> = {
  FailedCreate: NOT_CREATED,
  FailedMount: [
    MISSING,
    anyOf((pod) => `A volume of pod ${pod} cannot be mounted`, "Kubernetes tries it again and again."),
  ],
  FailedAttachVolume: [
    anyOf(
      (pod) => `A volume of pod ${pod} cannot be attached to its node`,
      "Kubernetes tries it again and again.",
    ),
  ],
  FailedCreatePodSandBox: [
    anyOf((pod) => `The node of pod ${pod} cannot set it up`, "Kubernetes tries it again and again."),
  ],
};

/** @param name of the Job or pod that the event is about */
export function inPlainWords({ reason, message }: PodEvent, name: string): string {
  for (const { pattern, say } of EXPLANATIONS[reason] ?? []) {
    const [, ...groups] = pattern.exec(message) ?? [];
    if (groups.length > 0) return composed(say(groups, name));
  }
  return `${reason}: ${message}`.slice(0, MAX_LENGTH);
}

function composed({ what, detail = "", remedy }: Words): string {
  const room = MAX_LENGTH - `${what}: . ${remedy}`.length;
  const said = shortened(detail.trim().replace(/\.$/, ""), room);
  return `${what}${said && `: ${said}`}. ${remedy}`.slice(0, MAX_LENGTH);
}

function shortened(text: string, room: number): string {
  if (text.length <= room) return text;
  return room > 1 ? `${text.slice(0, room - 1)}…` : "";
}
