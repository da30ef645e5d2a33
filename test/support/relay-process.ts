/** A relay as a process of its own, so that a test can kill or freeze it. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RelayEndpoint } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import type { EdgeStandIn } from "./edge-stand-in.ts";

export interface RelayProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly endpoint: RelayEndpoint;
}

/** Resolves once the edge has told it what it knows. `label` is the first part of its own name. */
export async function startRelayProcess(
  edge: EdgeStandIn,
  label: string,
  environment: Record<string, string> = {},
): Promise<RelayProcess> {
  const directory = mkdtempSync(join(tmpdir(), "postern-relay-process-"));
  const name = `${label}.${edge.zone}`;
  const child = fork("relay/main.ts", [], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: {
      ...process.env,
      RELAY_EDGE_URL: edge.url,
      RELAY_ZONE: edge.zone,
      RELAY_NAME: name,
      RELAY_LISTEN_HOST: "127.0.0.1",
      RELAY_PUBLIC_HOST: "127.0.0.1",
      RELAY_PORT: "0",
      RELAY_PRIVATE_PORT: "0",
      RELAY_IDENTITY_FILE: join(directory, "relay.pem"),
      LOG_LEVEL: "error",
      ...environment,
    },
  });
  const [{ relay, port }] = (await once(child, "message")) as [{ relay: NodeId; port: number }];
  return {
    child,
    endpoint: { relay, host: "127.0.0.1", port, name },
    async [Symbol.asyncDispose]() {
      const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
      child.kill("SIGKILL");
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
