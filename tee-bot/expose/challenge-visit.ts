/**
 * Tells a CA's `tls-alpn-01` validation (RFC 8737) from other visitors where TLS is another server's to end. Used only
 * while a challenge is pending; what was read is put back.
 */
import type { TunnelSocket } from "../../shared/nodejs/tunnel-socket.ts";
import { ClientHelloReader, maxClientHelloRawBytes } from "../../shared/tls/client-hello.ts";
import { challengeProtocol, type Challenges } from "../server/terminator.ts";

/** The relay hands a visitor on with its ClientHello; whoever has not sent it by then is left to the other server. */
const helloTimeoutMs = 2_000;

/** Calls back once, unless the visitor leaves first, with whether the connection is for one of the challenges. */
export function readChallengeVisit(
  socket: TunnelSocket,
  challenges: Challenges,
  onKnown: (isChallenge: boolean) => void,
): void {
  const reader = new ClientHelloReader();
  let held: Buffer = Buffer.alloc(0);
  const finish = (isChallenge: boolean): void => {
    clearTimeout(timer);
    socket.off("readable", onReadable);
    socket.off("close", onClose);
    if (held.length > 0) socket.unshift(held);
    onKnown(isChallenge);
  };
  const onReadable = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (!chunk) return;
    held = Buffer.concat([held, chunk]);
    const parsed = reader.push(chunk);
    if (parsed.kind === "refused" || held.length > maxClientHelloRawBytes) return finish(false);
    if (parsed.kind !== "hello") return;
    const { serverName, alpn } = parsed;
    const wanted = alpn.length === 1 && alpn[0] === challengeProtocol && serverName !== undefined;
    finish(wanted && challenges.contextFor(serverName) !== undefined);
  };
  const onClose = (): void => clearTimeout(timer);
  const timer = setTimeout(() => finish(false), helloTimeoutMs);
  socket.on("readable", onReadable);
  socket.once("close", onClose);
}
