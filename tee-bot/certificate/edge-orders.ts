import type { Clock } from "../../shared/clock.ts";
import type { EdgeClient } from "../../shared/registry/edge-client.ts";
import { orderSchema, type Order, type RenewalPlan } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import type { AnnouncedAccounts } from "./announced-accounts.ts";
import type { Certificate } from "./certificate.ts";
import type {
  CertificateRequest,
  CertificateSource,
  HeldCertificate,
  OrderEnd,
  OrderHooks,
} from "./certificate-source.ts";

export interface EdgeOrdersOptions {
  node: NodeId;
  edge: EdgeClient;
  announced: AnnouncedAccounts;
  clock: Clock;
  /** What the edge has last said of the renewal of this certificate. */
  planOf: (certificate: Certificate) => RenewalPlan | undefined;
}

const defaultPollMs = 2_000;
const minPollMs = 500;
const maxPollMs = 5 * 60_000; // the words change while an order waits for hours

/** The edge gives an order up after two days. */
const maxOrderMs = 49 * 3_600_000;

/** The edge drives the order with its own account; the node sends the CSR and asks what has become of it. */
export class EdgeOrders implements CertificateSource {
  readonly #options: EdgeOrdersOptions;

  constructor(options: EdgeOrdersOptions) {
    this.#options = options;
  }

  /** The edge answers the same CSR with the same order, so that a node that was restarted finds its order again. */
  async obtain({ csr }: CertificateRequest, { signal, tell }: OrderHooks): Promise<OrderEnd> {
    const { edge, node, announced, clock } = this.#options;
    await announced.withdraw(signal);
    const path = `/v1/nodes/${node}/orders`;
    let order: Order = await edge.request("POST", path, orderSchema, { body: { csr }, signal });
    const deadline = clock.now() + maxOrderMs;
    while (order.status === "processing") {
      if (clock.now() > deadline) return { status: "invalid", trouble: endless };
      tell(order.words ?? "the edge has it signed", order.trouble);
      await clock.sleep(Math.min(maxPollMs, Math.max(minPollMs, order.retryAfterMs ?? defaultPollMs)), signal);
      order = await edge.request("GET", `${path}/${encodeURIComponent(order.id)}`, orderSchema, { signal });
    }
    return endOf(order);
  }

  plan({ certificate, renewal }: HeldCertificate): Promise<RenewalPlan | undefined> {
    return Promise.resolve(this.#options.planOf(certificate) ?? renewal);
  }
}

function endOf({ status, certificate, trouble, issuer, renewal }: Order): OrderEnd {
  if (status === "invalid") return { status, trouble: trouble ?? unexplained };
  if (certificate === undefined) return { status: "invalid", trouble: empty };
  return {
    status: "valid",
    chain: certificate,
    ...(issuer !== undefined && URL.canParse(issuer) && { directory: issuer }),
    ...(renewal && { renewal }),
  };
}

const remedy = "Ask whoever runs the edge to look into its log; it is tried again by itself.";
const unexplained = { detail: "The order was refused, and the edge does not say why.", remedy };
const endless = { detail: "The order was not finished within two days.", remedy };
const empty = { detail: "The edge calls the order valid, but has no certificate.", remedy };
