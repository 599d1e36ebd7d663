import { expect, it } from "vitest";
import { writesIn } from "./side.ts";

it("counts what writes, whatever became of it, and no renewals of a lease", () => {
  const metrics = `
# TYPE rest_client_requests_total counter
rest_client_requests_total{verb="create",code="201",resource="jobs"} 7
rest_client_requests_total{verb="create",code="409",resource="jobs"} 1
rest_client_requests_total{verb="patch",code="200",resource="opaljobs/status"} 20
rest_client_requests_total{verb="update",code="200",resource="leases"} 99
rest_client_requests_total{verb="list",code="200",resource="jobs"} 5
`;
  expect([...writesIn(metrics)]).toEqual([
    ["create jobs", 8],
    ["patch opaljobs/status", 20],
  ]);
});

it("reads a Go client's metrics, which name no resource", () => {
  const metrics = `rest_client_requests_total{code="200",host="127.0.0.1:6443",method="PATCH"} 1.5e+04
rest_client_requests_total{code="200",host="127.0.0.1:6443",method="GET"} 12`;
  expect([...writesIn(metrics)]).toEqual([["patch", 15_000]]);
});
