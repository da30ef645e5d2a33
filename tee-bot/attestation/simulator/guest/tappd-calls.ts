/** The calls of tappd (service Tappd), which agents before 0.4.2 had alone and later ones still have on a socket of its own. */
import { createHash, randomBytes } from "node:crypto";
import { keccak_256, keccak_384, keccak_512 } from "@noble/hashes/sha3.js";
import { z } from "zod";
import { AgentError } from "./agent-error.ts";
import { bytes, call, flag, hex, text, texts, type Answer, type Calls } from "./call.ts";
import { traits } from "./generation.ts";
import type { Guest } from "./guest.ts";
import { infoOf } from "./info.ts";

const seedBytes = 32;
const rawBytes = 64;
const applicationTag = "app-data";
const defaultHash = "sha512";

const hashes: Readonly<Record<string, (data: Uint8Array) => Uint8Array>> = {
  ...Object.fromEntries(
    ["sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512"].map((name) => [
      name,
      (data: Uint8Array) => createHash(name).update(data).digest(),
    ]),
  ),
  keccak256: keccak_256,
  keccak384: keccak_384,
  keccak512: keccak_512,
};

const deriveKeySchema = z.object({
  path: text,
  subject: text,
  alt_names: texts,
  usage_ra_tls: flag,
  usage_server_auth: flag,
  usage_client_auth: flag,
  random_seed: flag,
});

export function tappdCalls(guest: Guest): Calls {
  const { machine, keys } = guest;
  const quote = async (data: Uint8Array, hash: string, prefix: string): Promise<Answer> => {
    const algorithm = hash === "" ? defaultHash : hash;
    const quoted = await guest.quote(reportDataOf(data, algorithm, prefix === "" ? applicationTag : prefix));
    return {
      quote: hex(quoted.quote),
      event_log: quoted.eventLog,
      hash_algorithm: algorithm,
      prefix: algorithm === "raw" ? "" : applicationTag,
    };
  };
  return new Map([
    [
      "DeriveKey",
      call(deriveKeySchema, (request) =>
        guest.tlsKey(request.random_seed ? randomBytes(seedBytes) : keys.secret, request.path, {
          subject: request.subject,
          altNames: request.alt_names,
          raTls: request.usage_ra_tls,
          serverAuth: request.usage_server_auth,
          clientAuth: request.usage_client_auth,
        }),
      ),
    ],
    [
      "DeriveK256Key",
      call(z.object({ path: text, purpose: text }), ({ path, purpose }) => {
        const { key, signatureChain } = keys.derive(path, purpose, "secp256k1");
        return { k256_key: hex(key), k256_signature_chain: signatureChain.map(hex) };
      }),
    ],
    [
      "TdxQuote",
      call(z.object({ report_data: bytes, hash_algorithm: text, prefix: text }), (request) =>
        quote(request.report_data, request.hash_algorithm, request.prefix),
      ),
    ],
    ["RawQuote", call(z.object({ report_data: bytes }), ({ report_data }) => quote(report_data, "raw", ""))],
    ["Info", call(z.unknown(), () => infoOf(machine))],
    ["Version", call(z.unknown(), () => ({ version: traits[machine.generation].version, rev: "simulator" }))],
  ]);
}

/** hash(tag ‖ ":" ‖ data), or 64 bytes as they are. */
function reportDataOf(data: Uint8Array, algorithm: string, tag: string): Uint8Array {
  if (algorithm === "raw") {
    if (data.length !== rawBytes) throw new AgentError("invalid content length");
    return data;
  }
  const hash = hashes[algorithm];
  if (!hash) throw new AgentError("invalid hash algorithm");
  return hash(Buffer.concat([Buffer.from(`${tag}:`), data]));
}
