import type { TLSSocket } from "node:tls";
import { ed25519KeyOfSpki } from "../../shared/certificate/ed25519-spki.ts";
import { nodeIdOfKey } from "../../shared/registry/node-id.ts";

/** Why the peer is not the relay that the edge has named, or undefined when it is. */
export function problemOfPeer(socket: TLSSocket, relay: string, alpn: string): string | undefined {
  if (socket.alpnProtocol !== alpn) return "This port does not speak the tunnel protocol.";
  const key = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
  const raw = key && ed25519KeyOfSpki(key);
  try {
    if (raw && nodeIdOfKey(raw) === relay) return undefined;
  } catch {} // a key of small order is nobody's
  return "The relay proved another key than the edge has named.";
}
