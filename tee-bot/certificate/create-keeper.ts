import type { AlpnResponder } from "../../shared/acme/ports.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { EdgeClient } from "../../shared/registry/edge-client.ts";
import type { Issuer } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import type { Custody, NodeFiles } from "../config.ts";
import type { EdgeView } from "../registration/edge-view.ts";
import { AnnouncedAccounts } from "./announced-accounts.ts";
import { lifetimeOf } from "./certificate.ts";
import { CertificateFiles } from "./certificate-files.ts";
import { CertificateKeeper, type CertificateKeeperOptions } from "./certificate-keeper.ts";
import { EdgeOrders } from "./edge-orders.ts";
import { CertificateHistory } from "./history.ts";
import { OrderFile } from "./order-file.ts";
import { OwnAccounts } from "./own-accounts.ts";
import { OwnOrders } from "./own-orders.ts";

export interface KeeperParts extends Pick<CertificateKeeperOptions, "key" | "onCertificate" | "onChange"> {
  custody: Custody;
  node: NodeId;
  edge: EdgeClient;
  view: EdgeView;
  /** Who signs, as the edge tells it. */
  issuer: (signal: AbortSignal) => Promise<Issuer>;
  alpn: AlpnResponder;
  /** The key of this node's own ACME accounts, PEM. */
  acmeAccount: () => string;
  files: NodeFiles;
  clock: Clock;
  log: Log;
  random: () => number;
}

/** The keeper of the node's certificate, with the source that the custody of the ACME account asks for. */
export function createKeeper(parts: KeeperParts): CertificateKeeper {
  const { custody, node, edge, view, issuer, alpn, acmeAccount, files, key, clock, log, random } = parts;
  const announced = new AnnouncedAccounts({ node, edge, path: files.announcedAccounts, log });
  return new CertificateKeeper({
    key,
    source:
      custody === "edge"
        ? new EdgeOrders({ node, edge, announced, clock, planOf: ({ leaf }) => view.planOf(lifetimeOf(leaf).notAfter) })
        : new OwnOrders({
            node,
            edge,
            accounts: new OwnAccounts({ accountKey: acmeAccount, path: files.acmeAccounts, clock, log, fetch }),
            announced,
            issuer,
            alpn,
            clock,
            log,
            random,
            fetch,
          }),
    files: new CertificateFiles({ paths: files, log }),
    order: new OrderFile({ path: files.order, key, custody, log }),
    history: new CertificateHistory({ path: files.history, log }),
    clock,
    log,
    random,
    onCertificate: parts.onCertificate,
    onChange: parts.onChange,
  });
}
