import { createFakeClock, FakeApi } from "../runtime/testing.ts";
import { portContract } from "./contract.ts";
import { NAMESPACE } from "./testing.ts";

const api = new FakeApi(createFakeClock());

portContract("the fake API server", () => Promise.resolve({ client: api, namespace: NAMESPACE }));
