import { peerRefusedCode } from "../../../attestation/near/peer-key.ts";
import { resetCode } from "../../../upstream/connector.ts";

/** Why a connection to a provider failed, in words that tell callers nothing of the network behind this gateway. */
const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection broke",
  [resetCode]: "the connection broke",
  EPIPE: "the connection broke",
  UND_ERR_SOCKET: "the connection broke",
  EHOSTUNREACH: "there is no way to its machine",
  ENETUNREACH: "there is no way to its machine",
  ENOENT: "it does not run",
  ENOTFOUND: "its name is not known",
  EAI_AGAIN: "its name is not known",
  UND_ERR_HEADERS_OVERFLOW: "the head of its answer is too large",
  [peerRefusedCode]: "the key of its certificate is not the attested one",
  UND_ERR_DESTROYED: "it was just removed",
  UND_ERR_CLOSED: "it was just removed",
};

export function describeConnectionFailure(error: Error): string {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code.startsWith("HPE_")) return "its answer is not HTTP";
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code)) return "its certificate is not trusted";
  return words[code] ?? "the connection failed";
}

export function isConnectTimeout(error: Error): boolean {
  return "code" in error && (error.code === "UND_ERR_CONNECT_TIMEOUT" || error.code === "ETIMEDOUT");
}
