/**
 * What is behind the public name right now, and the way of each visitor to it. It can be changed while the node
 * runs; connections that are open stay with what they reached.
 */
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Log } from "../../shared/log.ts";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";
import type { TunnelSocket } from "../../shared/nodejs/tunnel-socket.ts";
import type { ProxyAddresses } from "../../shared/tunnel/proxy-header.ts";
import {
  Terminator,
  type Challenges,
  type HttpHandler,
  type HttpRequest,
  type HttpResponse,
} from "../server/terminator.ts";
import { readChallengeVisit } from "./challenge-visit.ts";
import { HttpProxy } from "./http-proxy.ts";
import { formatTarget, parseTarget, type Target } from "./target.ts";
import { passToTls } from "./tls-target.ts";

export interface ExposureOptions {
  /** Said on the command line; else what was chosen last, else the gateway. */
  target: Target | undefined;
  /** Where the choice is kept. */
  path: string;
  gateway: HttpHandler;
  challenges: Challenges;
  log: Log;
}

export class Exposure implements HttpHandler {
  readonly #path: string;
  readonly #gateway: HttpHandler;
  readonly #challenges: Challenges;
  readonly #log: Log;
  readonly terminator: Terminator;
  #target: Target;
  #proxy: HttpProxy | undefined;

  constructor({ target, path, gateway, challenges, log }: ExposureOptions) {
    this.#path = path;
    this.#gateway = gateway;
    this.#challenges = challenges;
    this.#log = log;
    this.terminator = new Terminator({ handler: this, challenges, log });
    this.#target = { kind: "gateway" };
    this.#use(target ?? readStored(path) ?? this.#target);
  }

  get target(): Target {
    return this.#target;
  }

  /** Changes what is behind the name, and remembers it for the next start. */
  expose(target: Target): void {
    writeFileAtomic(this.#path, JSON.stringify({ target: formatTarget(target) }));
    this.#use(target);
  }

  #use(target: Target): void {
    void this.#proxy?.retire();
    this.#target = target;
    this.#proxy = target.kind === "http" ? new HttpProxy({ origin: target.origin, log: this.#log }) : undefined;
    this.#log.info("exposure.changed", { target: formatTarget(target) });
  }

  /** Takes a visitor from the tunnel. */
  visit({ socket, addresses }: { socket: TunnelSocket; addresses: ProxyAddresses }): void {
    const target = this.#target;
    if (target.kind !== "tls") return this.terminator.accept(socket, addresses);
    if (!this.#challenges.pending) return passToTls(socket, addresses, target, this.#log);
    readChallengeVisit(socket, this.#challenges, (isChallenge) => {
      if (isChallenge) this.terminator.accept(socket, addresses);
      else passToTls(socket, addresses, target, this.#log);
    });
  }

  request(request: HttpRequest, response: HttpResponse, client: ProxyAddresses): void {
    (this.#proxy ?? this.#gateway).request(request, response, client);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, client: ProxyAddresses): void {
    (this.#proxy ?? this.#gateway).upgrade(request, socket, head, client);
  }

  close(): void {
    this.terminator.close();
    void this.#proxy?.close();
  }
}

function readStored(path: string): Target | undefined {
  try {
    return parseTarget((JSON.parse(readFileSync(path, "utf8")) as { target: string }).target);
  } catch {
    return undefined; // nothing was chosen yet
  }
}
