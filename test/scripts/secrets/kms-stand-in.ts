/** A stand-in for dstack's KMS, which runs in a TEE: keys for secrets, signed as it signs them, and wrongly in the ways that matter. */
import { createDecipheriv, createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";

export type KmsFault =
  | "other-signer"
  | "stale"
  | "future"
  | "other-app"
  | "other-key"
  | "undated"
  | "unsigned"
  | "down"
  | "html";

export interface KmsStandIn extends AsyncDisposable {
  readonly url: string;
  /** Compressed, hex. */
  readonly signer: string;
  readonly requests: string[];
  fault: KmsFault | undefined;
  /** What a VM of the application reads. */
  decrypt(blob: string): unknown;
}

const spkiPrefixBytes = 12;

export async function startKms(): Promise<KmsStandIn> {
  const root = secp256k1.utils.randomSecretKey();
  const keys = generateKeyPairSync("x25519");
  const requests: string[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      let body = "";
      for await (const chunk of request.setEncoding("utf8")) body += chunk as string;
      requests.push(`${request.method} ${request.url} ${body}`);
      if (kms.fault === "down") return void response.writeHead(500).end("a secret of the KMS");
      if (kms.fault === "html") return void response.end("<html>");
      const { app_id: appId } = JSON.parse(body) as { app_id: string };
      response.end(JSON.stringify(answer(appId, kms.fault, root, rawKey(keys.publicKey))));
    })();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const kms: KmsStandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    signer: Buffer.from(secp256k1.getPublicKey(root, true)).toString("hex"),
    requests,
    fault: undefined,
    decrypt: (blob) => decrypt(Buffer.from(blob, "hex"), keys.privateKey),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return kms;
}

function answer(appId: string, fault: KmsFault | undefined, root: Uint8Array, publicKey: Buffer): object {
  const now = Math.floor(Date.now() / 1_000);
  const timestamp = fault === "stale" ? now - 400 : fault === "future" ? now + 400 : now;
  const app = Buffer.from(fault === "other-app" ? "ee".repeat(20) : appId, "hex");
  const signer = fault === "other-signer" ? secp256k1.utils.randomSecretKey() : root;
  const signed = fault === "other-key" ? Buffer.alloc(32, 9) : publicKey;
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(timestamp));
  const sign = (...parts: Buffer[]): string =>
    signature(Buffer.concat([Buffer.from("dstack-env-encrypt-pubkey:"), app, ...parts]), signer);
  return {
    public_key: publicKey.toString("hex"),
    ...(fault !== "unsigned" && { signature: sign(signed) }),
    ...(fault !== "unsigned" && fault !== "undated" && { timestamp, signature_v1: sign(time, signed) }),
  };
}

/** r ‖ s ‖ recovery id. */
function signature(message: Uint8Array, key: Uint8Array): string {
  const recovered = secp256k1.sign(keccak_256(message), key, { prehash: false, format: "recovered" });
  return Buffer.from([...recovered.subarray(1), recovered[0] ?? 0]).toString("hex");
}

function decrypt(blob: Buffer, privateKey: KeyObject): unknown {
  const own = blob.subarray(0, 32);
  const prefix = rawPrefix(createPublicKey(privateKey));
  const publicKey = createPublicKey({ key: Buffer.concat([prefix, own]), format: "der", type: "spki" });
  const decipher = createDecipheriv("aes-256-gcm", diffieHellman({ privateKey, publicKey }), blob.subarray(32, 44));
  decipher.setAuthTag(blob.subarray(-16));
  return JSON.parse(Buffer.concat([decipher.update(blob.subarray(44, -16)), decipher.final()]).toString());
}

const der = (key: KeyObject): Buffer => key.export({ format: "der", type: "spki" });
const rawKey = (key: KeyObject): Buffer => der(key).subarray(spkiPrefixBytes);
const rawPrefix = (key: KeyObject): Buffer => der(key).subarray(0, spkiPrefixBytes);
