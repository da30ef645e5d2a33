/** A resolver over DNS over HTTPS (RFC 8484), in plain HTTP on loopback, with a lag and troubles of its own. */
import { Packet } from "dns2";
import type { Answer, Fault, Faults, Injection } from "../faults.ts";
import { startFaultyServer, type Exchange } from "../faulty-server.ts";
import { sight, type Lag, type Overriding } from "./sight.ts";
import { answerQuery } from "./zone-answer.ts";
import type { SeenQuery } from "./zone-server.ts";
import type { ZoneStore } from "./zone-store.ts";

/** `refused` resets connections, `error` answers 500, `garbage` says no DNS message, `silent` never answers. */
export type ResolverMode = "up" | "refused" | "error" | "servfail" | "garbage" | "silent";

export interface DohResolver extends AsyncDisposable, Overriding {
  /** `http://127.0.0.1:port/dns-query` */
  readonly url: string;
  readonly queries: SeenQuery[];
  readonly faults: Faults;
  lag: Lag;
  mode: ResolverMode;
}

const messageType = "application/dns-message";

export async function startDohResolver(store: ZoneStore, { lag = 0 }: { lag?: Lag } = {}): Promise<DohResolver> {
  const view = sight(store, lag);
  const server = await startFaultyServer({ handle: (exchange) => respond(exchange) });
  const queries: SeenQuery[] = [];
  let mode: ResolverMode = "up";
  let trouble: Injection | undefined;

  const respond = (exchange: Exchange): Answer => {
    const message = messageOf(exchange);
    if ("status" in message) return message;
    let request: Packet;
    try {
      request = Packet.parse(message);
    } catch {
      return plain(400, "not a DNS message\n");
    }
    const { name = "", type = 0 } = request.questions[0] ?? {};
    queries.push({ name: name.toLowerCase(), type: Packet.typeName(type), at: Date.now() });
    const response =
      mode === "servfail"
        ? Packet.createErrorResponseFromRequest(request, Packet.RCODE.SERVFAIL)
        : answerQuery(request, view.look(), "resolver");
    return {
      status: 200,
      headers: { "content-type": messageType, "cache-control": "max-age=0" },
      body: response.toBuffer(),
    };
  };

  return {
    url: `http://127.0.0.1:${server.port}/dns-query`,
    queries,
    faults: server.faults,
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
    get mode() {
      return mode;
    },
    set mode(value) {
      mode = value;
      trouble?.remove();
      const fault = faultOf(value);
      trouble = fault && server.faults.inject("/dns-query", fault, { times: Number.POSITIVE_INFINITY });
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** The DNS message of a request by GET or POST (RFC 8484 §4.1), or why there is none. */
function messageOf({ method, path, target, headers, body }: Exchange): Buffer | Answer {
  if (path !== "/dns-query") return plain(404, "not found\n");
  if (method === "GET") {
    const encoded = new URL(target, "http://resolver").searchParams.get("dns");
    return encoded === null ? plain(400, "no query\n") : Buffer.from(encoded, "base64url");
  }
  if (method !== "POST") return plain(405, "method not allowed\n");
  return headers["content-type"] === messageType ? body : plain(415, `expected ${messageType}\n`);
}

function faultOf(mode: ResolverMode): Fault | undefined {
  switch (mode) {
    case "refused":
      return { kind: "drop", when: "before" };
    case "silent":
      return { kind: "silence", when: "before" };
    case "error":
      return { kind: "answer", answer: plain(500, "internal error\n") };
    case "garbage":
      return { kind: "rewrite", rewrite: (answer) => ({ ...answer, body: "no DNS message at all" }) };
    case "up":
    case "servfail":
      return undefined;
  }
}

const plain = (status: number, body: string): Answer => ({ status, headers: { "content-type": "text/plain" }, body });
