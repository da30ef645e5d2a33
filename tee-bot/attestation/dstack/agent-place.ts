/** Where the guest agent listens, and whether there should be one. */
import { AppError } from "../../../shared/errors.ts";
import type { AttestationSettings } from "../settings.ts";

/** A Unix socket, or the port of a simulator on this machine. */
export type AgentAddress = { readonly socketPath: string } | { readonly host: string; readonly port: number };

export type AgentPlace =
  | { readonly tee: "dstack" | "simulated"; readonly address: AgentAddress; readonly api: "dstack" | "tappd" }
  /** `reason` is a sentence. */
  | { readonly tee: "none"; readonly reason: string };

/** Where images of dstack have it (os/common/rootfs/dstack-guest-agent.socket, guest-agent/dstack.toml). */
export const agentSockets = ["/var/run/dstack.sock", "/run/dstack.sock", "/var/run/dstack/dstack.sock"] as const;
/** Where images before 0.5 have it, with an older API. */
export const tappdSockets = ["/var/run/tappd.sock", "/run/tappd.sock"] as const;
/** Where dstack's own SDKs look for a simulator: a URL or the path of a socket. */
export const simulatorVariable = "DSTACK_SIMULATOR_ENDPOINT";

export interface AgentSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly exists: (path: string) => boolean;
}

/** Throws {@link AppError} when the settings ask for an agent that is not there, or contradict the environment. */
export function decideAgentPlace(
  { tee, socket }: Pick<AttestationSettings, "tee" | "socket">,
  { env, exists }: AgentSurroundings,
): AgentPlace {
  if (tee === "off") return { tee: "none", reason: "The settings say so: attestation.tee is off." };
  const endpoint = env[simulatorVariable] || undefined;
  if (tee === "simulated") return { tee, ...simulatorPlace(socket, endpoint) };
  if (endpoint !== undefined)
    throw new AppError(
      "bad-request",
      `${simulatorVariable} is set, and whoever sets it could have the node's keys made elsewhere. ` +
        `Unset it, or say that nothing has to be proven: attestation.tee: simulated.`,
    );
  const wanted: readonly string[] = socket === undefined ? [...agentSockets, ...tappdSockets] : [socket];
  const found = wanted.find(exists);
  if (found !== undefined) return { tee: "dstack", address: { socketPath: found }, api: apiOf(found) };
  const absent = `No guest agent at ${wanted.join(", ")}`;
  if (tee === "auto" && socket === undefined) return { tee: "none", reason: `Not in a TEE: ${lower(absent)}.` };
  throw new AppError(
    "tee-absent",
    `Not in a TEE: ${lower(absent)}. Mount dstack's socket into the container, or set attestation.tee to off.`,
  );
}

function simulatorPlace(socket: string | undefined, endpoint: string | undefined) {
  if (socket !== undefined) return { address: { socketPath: socket }, api: apiOf(socket) };
  if (endpoint === undefined)
    throw new AppError(
      "tee-absent",
      "attestation.tee is simulated, and no simulator is named. " +
        "Start one with: postern tee simulate; then set attestation.socket to the socket that it prints.",
    );
  return { address: simulatorAddress(endpoint), api: apiOf(endpoint) };
}

function simulatorAddress(endpoint: string): AgentAddress {
  if (endpoint.startsWith("/")) return { socketPath: endpoint };
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url?.protocol !== "http:" || !loopbackHosts.has(url.hostname))
    throw new AppError(
      "bad-request",
      `${simulatorVariable} is ${JSON.stringify(endpoint)}. Give the path of a socket, or an http:// address of this machine.`,
    );
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || 80) };
}

const loopbackHosts: ReadonlySet<string> = new Set(["127.0.0.1", "[::1]", "localhost"]);

function apiOf(path: string): "dstack" | "tappd" {
  return path.endsWith("tappd.sock") ? "tappd" : "dstack";
}

function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
