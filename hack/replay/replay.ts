/**
 * npm run replay -- FILE: makes the decisions again that the operator recorded (`--record FILE`), and says of
 * each whether it is the same, bit for bit, and if not, where it first differs. Exit 1 when one differs.
 *
 * Options: --json prints one line of JSON per decision.
 */
import { parseArgs } from "node:util";
import { replayDecision } from "../../operator/schedule/recording.ts";
import { fileOf, readDecisions } from "./decisions.ts";

const { values, positionals } = parseArgs({
  options: { json: { type: "boolean", default: false } },
  allowPositionals: true,
});
const file = fileOf(positionals, "npm run replay -- FILE");

let same = 0;
let others = 0;
for await (const { line, decision } of readDecisions(file)) {
  const difference = replayDecision(decision);
  if (difference) others++;
  else same++;
  if (values.json)
    console.log(JSON.stringify({ line, worldDigest: decision.worldDigest, isSame: !difference, difference }));
  else if (difference) {
    console.log(`line ${line}: ${difference.path}`);
    console.log(`  recorded ${JSON.stringify(difference.recorded)}`);
    console.log(`  replayed ${JSON.stringify(difference.replayed)}`);
  }
}
if (!values.json) console.log(`${same + others} decisions: ${same} the same, ${others} different`);
if (others > 0) process.exitCode = 1;
