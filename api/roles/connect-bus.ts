import { type MessageBus, openBus } from "../azure/bus.ts";
import type { BusAccess } from "../config.ts";
import { type RoleContext, readSecret } from "./role.ts";

export async function connectBus(access: BusAccess, context: RoleContext): Promise<MessageBus> {
  const bus = await openBus(
    "namespace" in access
      ? access
      : { connectionString: await readSecret(access.connectionStringFile, context) },
  );
  context.closing.defer(() => bus.close());
  return bus;
}
