import type { TLSSocket } from "node:tls";
import { ed25519KeyOfSpki } from "../../shared/certificate/ed25519-spki.ts";
import { nodeIdOfKey, type NodeId } from "../../shared/registry/node-id.ts";

/** The id that the other end has proved in TLS; undefined when its certificate is missing or has another kind of key. */
export function provedIdOf(socket: TLSSocket): NodeId | undefined {
  try {
    const key = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
    const raw = key && ed25519KeyOfSpki(key);
    return raw && nodeIdOfKey(raw);
  } catch {
    return undefined; // a key of small order, or one that OpenSSL cannot read
  }
}
