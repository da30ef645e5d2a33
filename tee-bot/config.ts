import { join } from "node:path";
import { AppError } from "../shared/errors.ts";
import type { LogLevel } from "../shared/log.ts";
import type { AttestationSettings } from "./attestation/settings.ts";
import type { SignalSettings } from "./bot/settings.ts";
import type { Target } from "./expose/target.ts";
import type { GatewaySettings } from "./gateway/settings.ts";
import type { InboxSettings } from "./inbox/settings.ts";
import { loadSettings } from "./settings/load-settings.ts";
import { edgeWanted, type Custody } from "./settings/node-settings.ts";
import { defaultStateDirectory, findSettingsFile } from "./settings/settings-file.ts";
import type { TransportSetting } from "./tunnel/transport.ts";

export { custodies, type Custody } from "./settings/node-settings.ts";

export interface NodeConfig {
  /** Origin of the edge. */
  readonly edge: string;
  readonly alias: string | undefined;
  /** What to expose; undefined: what was chosen last, else the gateway. */
  readonly target: Target | undefined;
  readonly acmeAccount: Custody;
  /** How visitors come from the relays. */
  readonly tunnel: { readonly transport: TransportSetting };
  /** Local ports on 127.0.0.1; 0 is any free one. */
  readonly gatewayPort: number;
  readonly controlPort: number;
  readonly logLevel: LogLevel;
  readonly attestation: AttestationSettings;
  readonly gateway: GatewaySettings;
  readonly signal: SignalSettings;
  readonly inbox: InboxSettings;
  /** `postern.yaml`, and which version its shape is of. */
  readonly settings: { readonly path: string; readonly present: boolean; readonly version: number };
  readonly files: NodeFiles;
}

/** Where a node keeps what must outlive it. */
export interface NodeFiles {
  readonly directory: string;
  readonly identity: string;
  readonly tlsKey: string;
  readonly certificate: string;
  /** The chain above the leaf, PEM. */
  readonly issuerChain: string;
  readonly renewal: string;
  readonly order: string;
  readonly history: string;
  readonly acmeKey: string;
  readonly acmeAccounts: string;
  readonly announcedAccounts: string;
  readonly edgeAccounts: string;
  readonly registration: string;
  readonly issuer: string;
  readonly exposure: string;
  readonly inboxKey: string;
  readonly inbox: string;
  readonly control: string;
}

export function filesIn(directory: string): NodeFiles {
  return {
    directory,
    identity: join(directory, "identity.pem"),
    tlsKey: join(directory, "tls.key"),
    certificate: join(directory, "certificate.pem"),
    issuerChain: join(directory, "issuer-chain.pem"),
    renewal: join(directory, "certificate.json"),
    order: join(directory, "order.json"),
    history: join(directory, "certificate-history.json"),
    acmeKey: join(directory, "acme-account.pem"),
    acmeAccounts: join(directory, "acme-accounts.json"),
    announcedAccounts: join(directory, "announced-accounts.json"),
    edgeAccounts: join(directory, "edge-accounts.json"),
    registration: join(directory, "registration.json"),
    issuer: join(directory, "issuer.json"),
    exposure: join(directory, "exposure.json"),
    inboxKey: join(directory, "inbox.key"),
    inbox: join(directory, "inbox.json"),
    control: join(directory, "control.json"),
  };
}

export type ReadConfig =
  | { readonly ok: true; readonly config: NodeConfig }
  /** One line for each. */
  | { readonly ok: false; readonly mistakes: string[] };

/** Throws one error that names every setting that is missing or wrong. */
export function readConfig(environment: NodeJS.ProcessEnv): NodeConfig {
  const read = tryReadConfig(environment);
  if (read.ok) return read.config;
  throw new AppError(
    "bad-request",
    `Some settings cannot be used.\n${read.mistakes.map((one) => `  ${one}`).join("\n")}`,
  );
}

/** What a node is started with: flags and variables, then `postern.yaml`, then defaults. */
export function tryReadConfig(environment: NodeJS.ProcessEnv): ReadConfig {
  const read = loadSettings(environment, [{ path: ["node", "edge"], text: edgeWanted }]);
  if (!read.ok) return read;
  const { settings, version, present } = read.effective;
  const { edge, alias, expose, acmeAccount, tunnel, ports, logLevel } = settings.node;
  return {
    ok: true,
    config: {
      edge: edge ?? "", // it was required
      alias,
      target: expose,
      acmeAccount,
      tunnel: { transport: tunnel },
      gatewayPort: ports.gateway,
      controlPort: ports.control,
      logLevel,
      attestation: settings.attestation,
      gateway: settings.gateway,
      signal: settings.signal,
      inbox: settings.inbox,
      settings: { path: findSettingsFile(environment).path, present, version },
      files: filesIn(environment["POSTERN_STATE"] || defaultStateDirectory),
    },
  };
}
