import * as http from "node:http";
import * as https from "node:https";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ClusterAccess } from "./cluster-access.ts";

/**
 * Kept-alive connections to one API server. Unlike Node's own agent it tells when a connection can carry a request, and
 * can reset one: what a closed socket's kernel has not sent yet still arrives, minutes later when the network was away;
 * what a reset one's has not is forgotten.
 */
export interface Connections {
  readonly agent: http.Agent;
  /** Calls back at once when bytes that are written now go to the kernel now, else as soon as that is so. */
  whenOpen(socket: Socket, callBack: () => void): void;
  /** Ends the connection by a reset. */
  reset(socket: Socket): void;
  closeIdle(): void;
}

const KEEP_ALIVE_MS = 15_000;

export function createConnections({ server, tls }: ClusterAccess, maxSockets = Infinity): Connections {
  const options = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, noDelay: true, maxSockets };
  const agent = server.protocol === "https:" ? new TlsAgent(options, tls) : new http.Agent(options);
  return {
    agent,
    whenOpen(socket, callBack) {
      if (agent instanceof TlsAgent ? agent.isSecure(socket) : !socket.connecting) callBack();
      else socket.once(agent instanceof TlsAgent ? "secureConnect" : "connect", callBack);
    },
    reset(socket) {
      const below = agent instanceof TlsAgent ? agent.below(socket) : socket;
      // One that does not stand yet has carried nothing.
      if (below.connecting) socket.destroy();
      else below.resetAndDestroy();
    },
    closeIdle() {
      for (const sockets of Object.values(agent.freeSockets)) {
        for (const socket of sockets ?? []) socket.destroy();
      }
    },
  };
}

/** TLS on sockets of its own: only the connection below TLS can be reset. */
class TlsAgent extends https.Agent {
  readonly #below = new WeakMap<Socket, Socket>();
  readonly #secure = new WeakSet<Socket>();

  readonly #tls: ClusterAccess["tls"];

  constructor(options: http.AgentOptions, tls: ClusterAccess["tls"]) {
    super(options);
    this.#tls = tls;
  }

  override createConnection(options: https.RequestOptions): Socket {
    const to = { host: options.host ?? "localhost", port: Number(options.port) };
    const below = connect({
      ...to,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    const secure = connectTls({
      ...to,
      // By name only: there is none for an address.
      ...(isIP(to.host) === 0 && { servername: to.host }),
      ALPNProtocols: ["http/1.1"],
      ...this.#tls,
      socket: below,
    });
    this.#below.set(secure, below);
    secure.once("secureConnect", () => this.#secure.add(secure));
    return secure;
  }

  below(secure: Socket): Socket {
    return this.#below.get(secure) ?? secure;
  }

  isSecure(socket: Socket): boolean {
    return this.#secure.has(socket);
  }
}
