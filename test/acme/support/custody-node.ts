/** The part of a node that gets certificates, whoever holds the ACME account, against a real edge. */
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { Agent, fetch as fetchWithAgent } from "undici";
import { systemClock } from "../../../shared/clock.ts";
import { silentLog } from "../../../shared/log.ts";
import { issuerSchema } from "../../../shared/registry/messages.ts";
import { TlsAlpnResponder } from "../../../tee-bot/certificate/alpn-responder.ts";
import { AnnouncedAccounts } from "../../../tee-bot/certificate/announced-accounts.ts";
import { parseCertificate } from "../../../tee-bot/certificate/certificate.ts";
import type {
  CertificateRequest,
  CertificateSource,
  HeldCertificate,
} from "../../../tee-bot/certificate/certificate-source.ts";
import { createCsr } from "../../../tee-bot/certificate/csr.ts";
import { EdgeOrders } from "../../../tee-bot/certificate/edge-orders.ts";
import { OwnAccounts } from "../../../tee-bot/certificate/own-accounts.ts";
import { OwnOrders } from "../../../tee-bot/certificate/own-orders.ts";
import { readOrCreateTlsKey } from "../../../tee-bot/certificate/tls-key.ts";
import type { Custody } from "../../../tee-bot/config.ts";
import type { CertificateWorld } from "../../support/acme/certificate-world.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { Obtaining } from "./obtaining.ts";
import type { TestEdge } from "./edge.ts";
import { startNode, type TestNode } from "./node.ts";

export interface CustodyNode extends AsyncDisposable {
  readonly node: TestNode;
  request(replaces?: HeldCertificate): Promise<CertificateRequest>;
  /** Begins, or goes on with, an order as after a start of the process: what is on disk is all it knows. */
  obtain(request: CertificateRequest): Obtaining;
  /** What it would hold after this. */
  held(chain: string): HeldCertificate;
  /** When it would renew this. */
  plan(held: HeldCertificate): ReturnType<CertificateSource["plan"]>;
}

export async function startCustodyNode(
  custody: Custody,
  { world, edge }: { world: CertificateWorld; edge: TestEdge },
): Promise<CustodyNode> {
  const stack = new AsyncDisposableStack();
  const { path } = stack.use(temporaryFolder());
  const node = await startNode(edge);
  const dispatcher = new Agent({ connect: { ca: world.acmeCa } });
  stack.defer(() => dispatcher.close());
  const fetchTrusting = ((url: string, init: object) => fetchWithAgent(url, { ...init, dispatcher })) as typeof fetch;
  const key = readOrCreateTlsKey(join(path, "tls.key"));
  const hostnames = [node.name];

  const start = (): CertificateSource => {
    const { id, client } = node;
    const parts = { node: id, edge: client, clock: systemClock, log: silentLog };
    const announced = new AnnouncedAccounts({ ...parts, path: join(path, "announced.json") });
    if (custody === "edge") return new EdgeOrders({ ...parts, announced, planOf: () => undefined });
    const [keyPath, accountsPath] = [join(path, "acme-account.pem"), join(path, "acme-accounts.json")];
    return new OwnOrders({
      ...parts,
      announced,
      accounts: new OwnAccounts({
        ...parts,
        accountKey: () => readOrCreateTlsKey(keyPath).pem,
        path: accountsPath,
        fetch: fetchTrusting,
      }),
      issuer: () => client.request("GET", "/v1/issuer", issuerSchema),
      alpn: new TlsAlpnResponder({ clock: systemClock }),
      random: Math.random,
      fetch: fetchTrusting,
    });
  };
  return {
    node,
    async request(replaces) {
      return { id: crypto.randomUUID(), csr: await createCsr(key, hostnames), hostnames, progress: "", replaces };
    },
    obtain: (request) => new Obtaining(start(), request),
    held(chain) {
      const certificate = parseCertificate(chain);
      if (!new X509Certificate(chain).checkPrivateKey(key.privateKey)) throw new Error("It is for another key.");
      return { certificate, directory: world.directory, renewal: undefined };
    },
    plan: (held) => start().plan(held, AbortSignal.timeout(10_000)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
