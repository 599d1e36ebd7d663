import { afterAll, beforeAll } from "vitest";
import { createTestNamespace, openTestCluster, type TestCluster, type TestNamespace } from "../testing.ts";
import { portContract } from "./contract.ts";

let cluster: TestCluster;
let namespace: TestNamespace;
beforeAll(async () => {
  cluster = await openTestCluster();
  namespace = await createTestNamespace(cluster);
});
afterAll(async () => {
  await namespace.remove();
  await cluster.close();
});

portContract("a real API server", () =>
  Promise.resolve({ client: namespace.client, namespace: namespace.name }),
);
