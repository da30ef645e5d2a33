import { isDeepStrictEqual } from "node:util";
import type { NodeConfig } from "../config.ts";
import { outline } from "./outline.ts";
import { formatPath, valueAt } from "./path.ts";

/** Names of settings that are not what they were. */
export interface Changes {
  /** What a running node takes up. */
  readonly followed: readonly string[];
  /** What waits for its next start. */
  readonly deferred: readonly string[];
}

export function decideChanges(before: NodeConfig, after: NodeConfig): Changes {
  const [one, other] = [asSettings(before), asSettings(after)];
  const changed = outline
    .filter(({ path }) => !isDeepStrictEqual(valueAt(one, path), valueAt(other, path)))
    .map(({ path }) => formatPath(path));
  return {
    followed: changed.filter((name) => name.startsWith("gateway.")),
    deferred: changed.filter((name) => !name.startsWith("gateway.")),
  };
}

/** The configuration in the shape of the file. */
function asSettings(config: NodeConfig): object {
  const { edge, alias, target, acmeAccount, tunnel, gatewayPort, controlPort, logLevel } = config;
  const { attestation, gateway, signal, inbox } = config;
  const ports = { gateway: gatewayPort, control: controlPort };
  const node = { edge, alias, expose: target, acmeAccount, tunnel: tunnel.transport, ports, logLevel };
  return { node, attestation, gateway, signal, inbox };
}
