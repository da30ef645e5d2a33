/**
 * The loopback check: the node calls its own public name through a relay, as a visitor would, and looks at the key
 * that answers. "The socket is open" proves nothing; this proves that the name leads here and to nobody else.
 */
import { connect as connectTcp, type Socket, type TcpNetConnectOpts } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { AppError, errorText } from "../../shared/errors.ts";
import { lookupWithLoopback } from "../../shared/nodejs/loopback-lookup.ts";
import type { RelayEndpoint } from "../../shared/registry/messages.ts";
import { localProxyHeader } from "../../shared/tunnel/proxy-header.ts";

const probeTimeoutMs = 5_000;

export interface Served {
  /** SubjectPublicKeyInfo (DER) of the certificate that answered. */
  readonly spki: Buffer;
  /** Why the chain is not trusted; undefined when it is. */
  readonly chainProblem: string | undefined;
}

/** Whom to call, and the roots (PEM) to trust besides the system's. */
export interface Probe {
  host: string;
  port: number;
  serverName: string;
  roots: readonly string[];
  /** A chain may end in one of `roots` that is no root itself. */
  partial?: boolean;
  /** The server wants a PROXY v2 header before TLS. */
  proxy?: boolean;
}

/** The key and chain that answer for a name. Throws {@link AppError} when nothing does. */
export async function fetchServedKey({
  host,
  port,
  serverName,
  roots,
  partial = false,
  proxy = false,
}: Probe): Promise<Served> {
  const address = { host, port, lookup: lookupWithLoopback };
  const socket = connect({
    ...(proxy ? { socket: connectWithProxyHeader(address) } : address),
    servername: serverName,
    ...(roots.length > 0 && { ca: [...roots], allowPartialTrustChain: partial }),
    rejectUnauthorized: false, // judged by the caller, who wants to know what was served in any case
    ALPNProtocols: ["http/1.1"],
  });
  try {
    await secured(socket);
    const certificate = socket.getPeerX509Certificate();
    if (!certificate) throw new AppError("upstream-unavailable", "No certificate was shown.");
    return {
      spki: certificate.publicKey.export({ type: "spki", format: "der" }),
      chainProblem: socket.authorized ? undefined : String(socket.authorizationError),
    };
  } catch (error) {
    throw new AppError("upstream-unavailable", errorText(error), { cause: error });
  } finally {
    socket.destroy();
  }
}

/** Checks our name through one relay: undefined when our key answered under a trusted chain, else what was wrong. */
export async function checkLoopback(
  relay: RelayEndpoint,
  { spki, chain, ...trusted }: Pick<Probe, "serverName" | "roots" | "partial"> & { spki: Buffer; chain: boolean },
): Promise<string | undefined> {
  const { serverName } = trusted;
  try {
    const served = await fetchServedKey({ host: relay.host, port: relay.port, ...trusted });
    if (!served.spki.equals(spki)) return `through ${relay.name} another key answers for ${serverName}`;
    if (chain && served.chainProblem) return `the certificate is not trusted: ${served.chainProblem}`;
    return undefined;
  } catch (error) {
    return `through ${relay.name} nothing answers for ${serverName}: ${errorText(error)}`;
  }
}

function connectWithProxyHeader(address: TcpNetConnectOpts): Socket {
  const socket = connectTcp(address);
  socket.write(localProxyHeader);
  return socket;
}

function secured(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(probeTimeoutMs, () => socket.destroy(new Error("it took longer than 5 s")));
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the connection was closed during the handshake")));
  });
}
