/**
 * A proxy in front of a real API server that lets its clients down in every way that is known, when told to. It ends
 * TLS with a certificate of its own and speaks to the server with the credentials of `upstream`, or with the token that
 * the client brings. Watches are relayed event by event, all else body by body, so that faults can strike between.
 */
import { once } from "node:events";
import { createServer, Agent } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { ClusterAccess } from "../../operator/runtime/cluster-access.ts";
import { makeCertificate } from "../stack/servicebus/admin/certificate.ts";
import { createActiveFaults } from "./active-faults.ts";
import { type Exchange, exchangeOf } from "./exchange.ts";
import type { Fault } from "./fault.ts";
import { carry } from "./carry.ts";

export interface FaultProxy {
  readonly server: URL;
  /** The authority of its certificate, PEM. */
  readonly ca: string;
  /** For clients in this process. */
  readonly access: ClusterAccess;
  /** Begins a fault; of several at work the one that was begun first strikes. Returns how to end it. */
  inject(fault: Fault): Promise<() => Promise<void>>;
  /** How often faults of this name have struck: requests and answers, or connections that a total outage reset. */
  strikes(name: string): number;
  close(): Promise<void>;
}

export interface FaultProxySettings {
  readonly upstream: ClusterAccess;
  /** Told of each request that is passed on to the server. */
  readonly onPassed?: (exchange: Exchange) => void;
}

export async function startFaultProxy({
  upstream,
  onPassed = () => {},
}: FaultProxySettings): Promise<FaultProxy> {
  const { cert: ca, privateKey } = await makeCertificate(Date.now());
  const agent = new Agent({ keepAlive: true, ...upstream.tls });
  const faults = createActiveFaults();
  const sockets = new Map<number, Socket>();
  let resets = 0;

  const server = createServer(
    { cert: ca, key: privateKey, keepAliveTimeout: 0, noDelay: true },
    (request, response) => {
      const { remotePort = 0 } = request.socket;
      void carry(exchangeOf(request), {
        request,
        response,
        agent,
        upstream: upstream.server,
        faults,
        onPassed,
        // RST can be sent on the connection below TLS only.
        reset: () => sockets.get(remotePort)?.resetAndDestroy(),
      });
    },
  );
  server.on("connection", (socket: Socket) => {
    const { remotePort = 0 } = socket;
    sockets.set(remotePort, socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(remotePort));
  });
  // Clients that are reset during their handshake, or give up in it.
  server.on("tlsClientError", () => {});

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = new URL(`https://127.0.0.1:${port}`);

  async function refuse(): Promise<void> {
    const closed = once(server, "close");
    server.close();
    resets += sockets.size;
    for (const socket of sockets.values()) socket.resetAndDestroy();
    await closed;
  }

  return {
    server: url,
    ca,
    access: { server: url, tls: { ca }, authorization: () => upstream.authorization() },
    async inject(fault) {
      const end = faults.begin(fault);
      if (!fault.refusesConnections) return async () => end();
      await refuse();
      return async () => {
        end();
        server.listen(port, "127.0.0.1");
        await once(server, "listening");
      };
    },
    strikes: (name) => faults.strikes(name) + (name === "total outage" ? resets : 0),
    async close() {
      if (server.listening) await refuse();
      agent.destroy();
    },
  };
}
