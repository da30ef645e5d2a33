/**
 * What is behind the public name right now, and the way of each visitor to it. It can be changed while the node
 * runs; connections that are open stay with what they reached.
 */
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { evidencePath } from "../../shared/attestation/evidence.ts";
import { AppError } from "../../shared/errors.ts";
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
import { isForHook } from "../bot/receive/hook-path.ts";
import { readChallengeVisit } from "./challenge-visit.ts";
import { HttpProxy } from "./http-proxy.ts";
import { parseRequestTarget } from "./request-target.ts";
import { formatTarget, parseTarget, type Target } from "./target.ts";
import { passToTls } from "./tls-target.ts";

export interface ExposureOptions {
  /** Said on the command line; else what was chosen last, else the gateway. */
  target: Target | undefined;
  /** Where the choice is kept. */
  path: string;
  gateway: HttpHandler;
  challenges: Challenges;
  /** Shows what the node proves of itself at {@link evidencePath}, whatever is behind the name. */
  showEvidence: (request: HttpRequest, response: HttpResponse, client: ProxyAddresses) => void;
  /** Takes what is posted to the bot at the public name, whatever is behind it; undefined: that goes there as well. */
  hook?: () => HttpHandler | undefined;
  /** The node has to prove itself: TLS that ends elsewhere, of which it can prove nothing, is not passed on. */
  mustProve: boolean;
  log: Log;
}

export class Exposure implements HttpHandler {
  readonly #options: ExposureOptions;
  readonly terminator: Terminator;
  #target: Target;
  #proxy: HttpProxy | undefined;

  constructor(options: ExposureOptions) {
    const { target, path, challenges, log } = options;
    this.#options = options;
    this.terminator = new Terminator({ handler: this, challenges, log });
    this.#target = { kind: "gateway" };
    this.#use(target ?? readStored(path) ?? this.#target);
  }

  get target(): Target {
    return this.#target;
  }

  /** Changes what is behind the name, and remembers it for the next start. Throws `forbidden` for what may not be. */
  expose(target: Target): void {
    if (target.kind === "tls" && this.#options.mustProve) throw new AppError("forbidden", unprovable);
    writeFileAtomic(this.#options.path, JSON.stringify({ target: formatTarget(target) }));
    this.#use(target);
  }

  #use(target: Target): void {
    void this.#proxy?.retire();
    this.#target = target;
    this.#proxy = target.kind === "http" ? new HttpProxy({ origin: target.origin, log: this.#options.log }) : undefined;
    this.#options.log.info("exposure.changed", { target: formatTarget(target) });
  }

  /** Takes a visitor from the tunnel. */
  visit({ socket, addresses }: { socket: TunnelSocket; addresses: ProxyAddresses }): void {
    const target = this.#target;
    if (target.kind !== "tls") return this.terminator.accept(socket, addresses);
    const { challenges, mustProve, log } = this.#options;
    const pass = (): void =>
      mustProve ? this.terminator.refuse(socket, unprovable) : passToTls(socket, addresses, target, log);
    if (!challenges.pending) return pass();
    readChallengeVisit(socket, challenges, (isChallenge) => {
      if (isChallenge) this.terminator.accept(socket, addresses);
      else pass();
    });
  }

  request(request: HttpRequest, response: HttpResponse, client: ProxyAddresses): void {
    if (isForEvidence(request.url ?? "")) return this.#options.showEvidence(request, response, client);
    const hook = isForHook(request.url ?? "") ? this.#options.hook?.() : undefined;
    (hook ?? this.#proxy ?? this.#options.gateway).request(request, response, client);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, client: ProxyAddresses): void {
    (this.#proxy ?? this.#options.gateway).upgrade(request, socket, head, client);
  }

  close(): void {
    this.terminator.close();
    void this.#proxy?.close();
  }
}

const unprovable =
  "attestation.required is set, and TLS that ends in another server cannot be attested. Expose http://… or the gateway.";

/** A request target that is a whole URL names the path too (RFC 9112 §3.2.2). */
function isForEvidence(target: string): boolean {
  if (!target.includes(evidencePath)) return false;
  const path = parseRequestTarget(target)?.path ?? "";
  return path === evidencePath || path.startsWith(`${evidencePath}?`);
}

function readStored(path: string): Target | undefined {
  try {
    return parseTarget((JSON.parse(readFileSync(path, "utf8")) as { target: string }).target);
  } catch {
    return undefined; // nothing was chosen yet
  }
}
