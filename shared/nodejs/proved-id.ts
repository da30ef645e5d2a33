/** Who the other end of a TLS connection is: its certificate is self-signed, and its Ed25519 key is the id. */
import type { TLSSocket } from "node:tls";
import { ed25519KeyOfSpki } from "../certificate/ed25519-spki.ts";
import { nodeIdOfKey, type NodeId } from "../registry/node-id.ts";

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

/** Why the other end is not the relay that the edge has named, or undefined when it is. */
export function problemOfRelay(socket: TLSSocket, relay: string, alpn: string): string | undefined {
  if (socket.alpnProtocol !== alpn) return `This port does not speak ${alpn}.`;
  return provedIdOf(socket) === relay ? undefined : "The relay proved another key than the edge has named.";
}
