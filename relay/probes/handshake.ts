/** One TLS handshake with whatever answers for a name at an address, as a visitor would make it. No request follows. */
import { createHash } from "node:crypto";
import { connect, type TLSSocket } from "node:tls";
import { anotherKey, anotherName, findingOfError, silent, type Finding } from "./reasons.ts";

const handshakeMs = 5_000;

export interface Handshake {
  readonly address: string;
  readonly port: number;
  readonly serverName: string;
  /** SHA-256 of the key to be met, in hexadecimal; undefined: only the certificate's name is looked at. */
  readonly key: string | undefined;
}

/** Never rejects, and takes no longer than five seconds. */
export function probeHandshake({ address, port, serverName, key }: Handshake): Promise<Finding> {
  return new Promise((resolve) => {
    // Who signed is not looked at: the key says more, and development zones have roots of their own.
    const options = { host: address, port, servername: serverName, rejectUnauthorized: false };
    const socket = connect({ ...options, ALPNProtocols: ["http/1.1"] });
    const end = (finding: Finding): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(finding);
    };
    const timer = setTimeout(() => end(silent(handshakeMs / 1_000)), handshakeMs);
    const to = `${address.includes(":") ? `[${address}]` : address}:${port}`;
    socket.once("secureConnect", () => end(judge(socket, serverName, key)));
    // Not once: an error after the first would have no listener.
    socket.on("error", (error) => end(findingOfError(error, to)));
    socket.once("close", () => end(findingOfError(Object.assign(new Error("closed"), { code: "ECONNRESET" }), to)));
  });
}

function judge(socket: TLSSocket, serverName: string, key: string | undefined): Finding {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return anotherName;
  if (key === undefined) return certificate.checkHost(serverName) === undefined ? anotherName : { outcome: "up" };
  const spki = certificate.publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(spki).digest("hex") === key ? { outcome: "up" } : anotherKey;
}
