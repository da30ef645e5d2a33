/** The same order without Postern: acme-client from this process, and the TXT records put straight into the zone. */
import { Agent } from "node:https";
import { axios, Client, crypto } from "acme-client";
import type { CertificateWorld } from "../../support/acme/certificate-world.ts";

export interface DirectOrders extends Disposable {
  /** Resolves with the certificate (PEM chain). `csr` is PEM. */
  order(hostnames: readonly string[], csr: string): Promise<string>;
}

/** The library's own are 5 to 30 s: what it waits for here is ready after some milliseconds. */
const backoff = { backoffAttempts: 1_000, backoffMin: 5, backoffMax: 20 };

export async function openDirectOrders({ directory, acmeCa, store }: CertificateWorld): Promise<DirectOrders> {
  const agent = new Agent({ ca: acmeCa, keepAlive: true });
  axios.defaults.httpsAgent = agent;
  const accountKey = await crypto.createPrivateEcdsaKey();
  const client = new Client({ directoryUrl: directory, accountKey, ...backoff });
  await client.createAccount({ termsOfServiceAgreed: true });

  const prove = async (authorization: Awaited<ReturnType<Client["getAuthorizations"]>>[number]): Promise<void> => {
    const challenge = authorization.challenges.find(({ type }) => type === "dns-01");
    if (!challenge) throw new Error("the CA offers no dns-01");
    const name = `_acme-challenge.${authorization.identifier.value}`;
    const content = await client.getChallengeKeyAuthorization(challenge);
    store.add({ name, type: "TXT", content });
    await client.completeChallenge(challenge);
    await client.waitForValidStatus(challenge);
  };

  return {
    async order(hostnames, csr) {
      const identifiers = hostnames.map((value) => ({ type: "dns", value }));
      const order = await client.createOrder({ identifiers });
      await Promise.all((await client.getAuthorizations(order)).map(prove));
      return client.getCertificate(await client.finalizeOrder(order, csr));
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}
