import { TLSSocket } from "node:tls";
import type { buildConnector } from "undici";
import { digestOfSpki } from "../../certificate/spki.ts";

/** SHA-256 of the SubjectPublicKeyInfo that the peer has shown, hex; undefined: there is no TLS. */
export function peerKeyOf(socket: unknown): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const spki = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
  return spki && digestOfSpki(spki);
}

/** `key`: of the peer, as {@link peerKeyOf} has it. Why it must not be spoken to; undefined: it may be. */
export type CheckPeer = (key: string | undefined) => string | undefined;

/** A connector whose connections are given to nobody before their peer was looked at. */
export function checkedConnector(connect: buildConnector.connector, checkPeer: CheckPeer): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error) return callback(error, null);
      const refusal = checkPeer(peerKeyOf(socket));
      if (refusal === undefined) return callback(null, socket);
      socket.destroy();
      callback(Object.assign(new Error(refusal), { code: peerRefusedCode }), null);
    });
}

export const peerRefusedCode = "POSTERN_PEER_REFUSED";
