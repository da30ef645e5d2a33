/**
 * A stand-in for dstack's guest agent, on a Unix socket: it derives keys as the real one does (HKDF and chains of
 * recoverable signatures, agent_rpc.proto), answers 400 with `{"error"}` to what it does not know, and can be made to
 * answer any call wrongly. Its quotes are no quotes; the simulator makes those.
 */
import { createHash, hkdfSync } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { ed25519 } from "@noble/curves/ed25519.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { temporaryFolder } from "../shared/temporary-folder.ts";

export type Answer = object | ((response: ServerResponse, request: SeenCall) => void);

export interface SeenCall {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

export interface GuestAgentStandIn extends AsyncDisposable {
  readonly socket: string;
  readonly port: number;
  readonly seen: SeenCall[];
  /** In place of what it would answer at this path: a body, or all that is written. */
  readonly answers: Map<string, Answer>;
  /** How many connections were made to it. */
  readonly connections: () => number;
  /** Public key of its key provider, compressed, hex. */
  readonly root: string;
}

export const standInInfo = {
  app_id: "a1".repeat(20),
  instance_id: "b2".repeat(20),
  app_cert: "",
  app_name: "postern",
  device_id: "c3".repeat(32),
  mr_aggregated: "d4".repeat(32),
  os_image_hash: "e5".repeat(32),
  key_provider_info: '{"name":"kms","id":"30"}',
  compose_hash: "f6".repeat(32),
  vm_config: "{}",
  cloud_vendor: "",
  cloud_product: "",
  tcb_info: JSON.stringify({ mrtd: "00".repeat(48), app_compose: '{"name":"postern"}' }),
};

export interface StandInOptions {
  /** `tappd.sock` is where an agent of the first kind is looked for. */
  readonly name?: "dstack.sock" | "tappd.sock";
  /** Another one is another application, with other keys. */
  readonly seed?: string;
  /** On a port of loopback, as simulators may be, rather than on a socket. */
  readonly port?: boolean;
}

export async function startGuestAgent({
  name = "dstack.sock",
  seed = "one",
  port = false,
}: StandInOptions = {}): Promise<GuestAgentStandIn> {
  const stack = new AsyncDisposableStack();
  const socket = join(stack.use(temporaryFolder()).path, name);
  const keys = new KeyProvider(seed);
  const seen: SeenCall[] = [];
  const answers = new Map<string, Answer>();
  let connections = 0;
  const server = createServer((request, response) => {
    void readCall(request).then((call) => {
      seen.push(call);
      const answer = answers.get(call.path) ?? rightAnswer(call, keys);
      if (typeof answer === "function") return answer(response, call);
      return sendJson(response, 200, answer);
    });
  });
  server.on("connection", () => connections++);
  if (port) server.listen(0, "127.0.0.1");
  else server.listen(socket);
  await once(server, "listening");
  stack.defer(async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  });
  return {
    socket,
    port: port ? (server.address() as AddressInfo).port : 0,
    seen,
    answers,
    connections: () => connections,
    root: keys.root,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body, null, 2)); // prpc prints errors prettily
}

async function readCall(request: IncomingMessage): Promise<SeenCall> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  const body = JSON.parse(Buffer.concat(parts).toString() || "{}") as Record<string, unknown>;
  return { path: request.url ?? "", headers: request.headers, body };
}

const unknown: Answer = (response, { path }) =>
  sendJson(response, 400, { error: `Service not found: ${path.slice(1)}` });

function rightAnswer({ path, body }: SeenCall, keys: KeyProvider): Answer {
  const reportData = body["report_data"];
  const quote = { quote: `04${String(reportData)}`, event_log: "[]", report_data: reportData, vm_config: "{}" };
  switch (path) {
    case "/Info":
    case "/prpc/Tappd.Info":
      return standInInfo;
    case "/Version":
      return { version: "0.5.8", rev: "abc" };
    case "/GetQuote":
    case "/prpc/Tappd.RawQuote":
      return quote;
    case "/Attest":
      return { attestation: `00${String(reportData)}` };
    case "/GetKey":
      return keys.answer(body);
    case "/prpc/Tappd.DeriveK256Key": {
      const { key, signature_chain: chain } = keys.answer(body);
      return { k256_key: key, k256_signature_chain: chain };
    }
    case "/GetTlsKey":
    case "/prpc/Tappd.DeriveKey":
      return { key: pem("PRIVATE KEY"), certificate_chain: [pem("CERTIFICATE"), pem("CERTIFICATE")] };
    case "/Sign":
      return {
        signature: "01".repeat(64),
        signature_chain: ["01".repeat(64), "02".repeat(65), "03".repeat(65)],
        public_key: "04".repeat(32),
      };
    case "/Verify":
      return { valid: body["signature"] === "01".repeat(64) };
    case "/EmitEvent":
      return (response) => void response.writeHead(200).end();
    case "/GpuInfo":
      return { attestation: "{}" };
    default:
      return unknown;
  }
}

/** Of one application and its key provider. */
class KeyProvider {
  readonly #app: Uint8Array;
  readonly #chainEnd: Uint8Array;
  readonly root: string;

  constructor(seed: string) {
    this.#app = sha256(`app ${seed}`);
    const root = sha256("the key provider");
    this.root = Buffer.from(secp256k1.getPublicKey(root)).toString("hex");
    const message = Buffer.concat([
      Buffer.from("dstack-kms-issued:"),
      Buffer.from(standInInfo.app_id, "hex"),
      secp256k1.getPublicKey(this.#app),
    ]);
    this.#chainEnd = recoverable(message, root);
  }

  answer(body: Record<string, unknown>): { key: string; signature_chain: string[] } {
    const { path, purpose, algorithm } = body as { path: string; purpose: string; algorithm?: string };
    const key = new Uint8Array(hkdfSync("sha256", this.#app, "RATLS", path, 32));
    const publicKey = (algorithm === "ed25519" ? ed25519 : secp256k1).getPublicKey(key);
    const own = recoverable(Buffer.from(`${purpose}:${Buffer.from(publicKey).toString("hex")}`), this.#app);
    return { key: hex(key), signature_chain: [hex(own), hex(this.#chainEnd)] };
  }
}

/** r ‖ s ‖ recovery id, where noble has the id first. */
function recoverable(message: Uint8Array, key: Uint8Array): Uint8Array {
  const signature = secp256k1.sign(keccak_256(message), key, { prehash: false, format: "recovered" });
  return Buffer.concat([signature.subarray(1), signature.subarray(0, 1)]);
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const sha256 = (text: string): Uint8Array => createHash("sha256").update(text).digest();
const pem = (label: string): string => `-----BEGIN ${label}-----\nMAA=\n-----END ${label}-----\n`;
