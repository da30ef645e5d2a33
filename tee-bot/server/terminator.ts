/**
 * Ends the visitor's TLS in this process and hands the decrypted connection to HTTP/1.1 or HTTP/2. The TLS socket
 * sits directly on the tunnel's socket, so encryption stays in C++ (a JavaScript stream in between costs a copy
 * of every byte). A new certificate is used from the next connection on; open ones keep theirs.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { createServer as createHttp1Server, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import {
  createServer as createTlsServer,
  type SecureContext,
  type Server as TlsServer,
  type TLSSocket,
} from "node:tls";
import type { Log } from "../../shared/log.ts";
import type { TunnelSocket } from "../../shared/nodejs/tunnel-socket.ts";
import { encodeAlert } from "../../shared/tls/alert.ts";
import type { ProxyAddresses } from "../../shared/tunnel/proxy-header.ts";
import { http1Limits, maxHeaderBytes } from "./http1-limits.ts";

/** A request or answer of either version: those of HTTP/2 behave like those of HTTP/1.1 and have a `stream` besides. */
export type HttpRequest = IncomingMessage & { readonly stream?: ServerHttp2Stream };
export type HttpResponse = ServerResponse & { readonly stream?: ServerHttp2Stream };

/** What answers behind the public name. `client` is the visitor's address as the relay saw it. */
export interface HttpHandler {
  request(request: HttpRequest, response: HttpResponse, client: ProxyAddresses): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, client: ProxyAddresses): void;
}

/** Names whose `tls-alpn-01` challenge is pending, each with the certificate that answers it (RFC 8737). */
export interface Challenges {
  readonly pending: boolean;
  contextFor(serverName: string): SecureContext | undefined;
}

export interface TerminatorOptions {
  handler: HttpHandler;
  log: Log;
  challenges?: Challenges;
  /** How long the head of a request over HTTP/1.1 may take. */
  headersTimeoutMs?: number;
  /** How long a handshake may take. */
  handshakeTimeoutMs?: number;
}

const usualHandshakeTimeoutMs = 10_000;
const maxConcurrentStreams = 256;
const protocols = ["h2", "http/1.1"];
/** RFC 8737 §6.2. */
export const challengeProtocol = "acme-tls/1";
const challengeLingerMs = 2_000;

export class Terminator {
  readonly #log: Log;
  readonly #tls: TlsServer;
  /** Takes the connections while a challenge is pending; to choose a protocol in JavaScript costs every handshake. */
  readonly #challengeTls: TlsServer | undefined;
  readonly #challenges: Challenges | undefined;
  readonly #http1;
  readonly #http2;
  readonly #open = new Set<TunnelSocket>();
  /** Whose handshake it is: neither a TLS socket nor an HTTP/2 session names what it wraps. */
  readonly #accepting = new AsyncLocalStorage<ProxyAddresses>();
  readonly #clients = new WeakMap<object, ProxyAddresses>();
  #ready = false;

  constructor(options: TerminatorOptions) {
    const { handler, log, challenges, headersTimeoutMs } = options;
    this.#log = log;
    this.#challenges = challenges;
    const onRequest = (request: HttpRequest, response: HttpResponse): void => {
      const connection = request.stream ? request.stream.session : request.socket;
      handler.request(request, response, this.#clientOf(connection));
    };
    this.#http1 = createHttp1Server(
      {
        ...http1Limits(headersTimeoutMs),
        shouldUpgradeCallback: ({ method, headers }) =>
          method === "GET" && headers.upgrade?.toLowerCase() === "websocket",
      },
      onRequest,
    );
    this.#http1.on("upgrade", (request, socket, head) =>
      handler.upgrade(request, socket, head, this.#clientOf(socket)),
    );
    this.#http1.emit("listening"); // it never listens itself, and watches no deadline before it does (Node 24)
    this.#http2 = createHttp2Server(
      { settings: { maxConcurrentStreams, maxHeaderListSize: maxHeaderBytes } },
      (request, response) => onRequest(request as unknown as HttpRequest, response as unknown as HttpResponse),
    );
    this.#http2.on("session", (session) => {
      const client = this.#accepting.getStore();
      if (client) this.#clients.set(session, client);
    });
    this.#http2.on("sessionError", (error) => log.debug("visitor.failed", { error: error.message }));

    const handshakeTimeout = options.handshakeTimeoutMs ?? usualHandshakeTimeoutMs;
    const tlsOptions = { minVersion: "TLSv1.2", handshakeTimeout } as const;
    this.#tls = this.#serve(createTlsServer({ ...tlsOptions, ALPNProtocols: protocols }));
    this.#challengeTls =
      challenges && this.#serve(createTlsServer({ ...tlsOptions, ALPNCallback: chooseProtocol(challenges) }));
  }

  /** Uses this certificate for every handshake from now on. PEM. */
  setCertificate(chain: string, key: string): void {
    this.#tls.setSecureContext({ cert: chain, key });
    this.#challengeTls?.setSecureContext({ cert: chain, key });
    this.#ready = true;
  }

  /** Has none for any handshake from now on; open connections stay, and challenges are answered. */
  withholdCertificate(): void {
    this.#tls.setSecureContext({});
    this.#challengeTls?.setSecureContext({});
    this.#ready = false;
  }

  /** Ends a connection from the tunnel with a TLS alert. */
  refuse(socket: TunnelSocket, why: string): void {
    this.#log.info("visitor.refused", { error: why });
    socket.end(encodeAlert("internal_error"));
    socket.resume(); // or the visitor's end would never be seen
  }

  /** Takes a connection from the tunnel; its unread bytes begin with the visitor's ClientHello. */
  accept(socket: TunnelSocket, client: ProxyAddresses): void {
    const tls = this.#challenges?.pending ? this.#challengeTls : this.#ready ? this.#tls : undefined;
    if (!tls) return this.refuse(socket, "there is no certificate that may be shown");
    // The tunnel keeps half-closed connections; a TLS socket takes that over, and HTTP would then never let go.
    socket.allowHalfOpen = false;
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
    this.#accepting.run(client, () => tls.emit("connection", socket));
  }

  /** How many visitor connections are open. */
  get connections(): number {
    return this.#open.size;
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
    this.#http1.close();
    this.#http2.close();
  }

  #serve(tls: TlsServer): TlsServer {
    tls.on("tlsClientError", (error, socket) => {
      this.#log.debug("visitor.refused", { error: error.message });
      socket.destroy(); // where the time was over, nobody else does
    });
    tls.on("secureConnection", (socket) => {
      socket.on("error", (error) => this.#log.debug("visitor.failed", { error: error.message }));
      if (socket.alpnProtocol === challengeProtocol) return this.#endChallenge(socket);
      const client = this.#accepting.getStore();
      if (client) this.#clients.set(socket, client);
      (socket.alpnProtocol === "h2" ? this.#http2 : this.#http1).emit("connection", socket);
    });
    return tls;
  }

  /** RFC 8737 §3: the handshake was the answer; no application data follows. */
  #endChallenge(socket: TLSSocket): void {
    this.#log.info("challenge.answered", { hostname: String(socket.servername) });
    socket.setTimeout(challengeLingerMs, () => socket.destroy());
    socket.end();
    socket.resume();
  }

  #clientOf(connection: object | undefined): ProxyAddresses {
    return (connection && this.#clients.get(connection)) ?? unknownClient;
  }
}

/** As `ALPNProtocols` would, and the protocol of challenges where it is the only one offered and one is pending. */
function chooseProtocol(challenges: Challenges) {
  return function (this: unknown, { servername, protocols: offered }: { servername: string; protocols: string[] }) {
    if (offered.length !== 1 || offered[0] !== challengeProtocol) return protocols.find((one) => offered.includes(one));
    const context = challenges.contextFor(servername);
    if (!context) return undefined;
    (this as TLSSocket).setKeyCert(context); // `this` is the connection (Node 24, documented at setKeyCert)
    return challengeProtocol;
  };
}

const unknownClient: ProxyAddresses = {
  sourceAddress: "0.0.0.0",
  sourcePort: 0,
  destinationAddress: "0.0.0.0",
  destinationPort: 0,
};
