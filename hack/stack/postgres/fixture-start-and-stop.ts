/** For the tests to run as another user: starts a Postgres in the folder that is given, asks it, stops it. */
import { startReaper } from "../../processes/reaper.ts";
import { startPostgres } from "./postgres.ts";

const [folder = ""] = process.argv.slice(2);
const reaper = startReaper({ env: process.env });
try {
  const server = await startPostgres({ folder }, reaper);
  await server.createDatabase("shop");
} finally {
  await reaper.close();
}
