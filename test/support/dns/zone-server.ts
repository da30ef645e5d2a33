/** The zone's own name server, UDP and TCP on one free port of loopback; it is what the CA asks. */
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createTCPServer, createUDPServer, Packet } from "dns2";
import { answerQuery } from "./zone-answer.ts";
import { sight, type Lag, type Overriding } from "./sight.ts";
import type { ZoneStore } from "./zone-store.ts";

export interface SeenQuery {
  readonly name: string;
  /** `TXT`, `CAA`… */
  readonly type: string;
  readonly at: number;
}

export interface ZoneServer extends AsyncDisposable, Overriding {
  readonly port: number;
  /** `127.0.0.1:port`, for Pebble's `-dnsserver`. */
  readonly address: string;
  readonly queries: SeenQuery[];
  lag: Lag;
  /** Answers nothing, or only SERVFAIL. */
  mode: "up" | "servfail" | "silent";
}

const host = "127.0.0.1";
const maxAttempts = 10;

export async function startZoneServer(store: ZoneStore, { lag = 0 }: { lag?: Lag } = {}): Promise<ZoneServer> {
  const { tcp, udp, port } = await listenOnBoth();
  const sockets = new Set<Socket>();
  const view = sight(store, lag);
  const server: ZoneServer = {
    port,
    address: `${host}:${port}`,
    queries: [],
    mode: "up",
    get lag() {
      return view.lag;
    },
    set lag(value) {
      view.lag = value;
    },
    get override() {
      return view.override;
    },
    set override(value) {
      view.override = value;
    },
    async [Symbol.asyncDispose]() {
      const closed = [once(tcp, "close"), once(udp, "close")];
      tcp.close();
      udp.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
  const answer = (request: Packet, send: (response: Packet) => unknown): void => {
    const { name = "", type = 0 } = request.questions[0] ?? {};
    server.queries.push({ name: name.toLowerCase(), type: Packet.typeName(type), at: Date.now() });
    if (server.mode === "silent") return;
    if (server.mode === "up") return void send(answerQuery(request, view.look(), "authoritative"));
    send(Packet.createErrorResponseFromRequest(request, Packet.RCODE.SERVFAIL));
  };
  tcp.on("request", answer).on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).once("close", () => sockets.delete(socket));
  });
  udp.on("request", answer);
  return server;
}

/** A free port of TCP may be taken for UDP. */
async function listenOnBoth() {
  for (let attempt = 1; ; attempt++) {
    const tcp = createTCPServer();
    tcp.listen(0, host);
    await once(tcp, "listening");
    const { port } = tcp.address() as AddressInfo;
    const udp = createUDPServer();
    try {
      await Promise.race([udp.listen(port, host), once(udp, "error").then(([error]) => Promise.reject(error))]);
      return { tcp, udp, port };
    } catch (error) {
      tcp.close();
      if (attempt === maxAttempts) throw error;
    }
  }
}
