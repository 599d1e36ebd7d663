import { expect, test } from "vitest";
import { consoleCommands } from "./console-blocks.ts";

test("takes each command with what is shown below it", () => {
  const markdown =
    "text\n```console\n$ kubectl get oj\nNAME  AGE\na     1s\n$ kubectl delete oj a\n```\n```sh\nnpm test\n```\n";
  expect(consoleCommands(markdown)).toEqual([
    { command: "kubectl get oj", shown: ["NAME  AGE", "a     1s"] },
    { command: "kubectl delete oj a", shown: [] },
  ]);
});
