/** A certificate ordered step by step with acme-client, as it is when nothing is added to it. */
import { Agent } from "node:https";
import { axios, Client, crypto, type Order } from "acme-client";

export interface Issued {
  /** PEM chain. */
  readonly chain: string;
  readonly order: Order;
}

export interface Session {
  readonly client: Client;
  /** `present` has to make the TXT record visible to the CA. */
  issue(
    name: string,
    present: (record: string, value: string) => Promise<void> | void,
    extra?: object,
  ): Promise<Issued>;
}

/** `ca` is the PEM of the CA under which the directory is reached; it holds for the whole test file. */
export async function startSession(
  directory: string,
  ca: string,
  externalAccountBinding?: { kid: string; hmacKey: string },
): Promise<Session> {
  axios.defaults.httpsAgent = new Agent({ ca });
  const accountKey = await crypto.createPrivateEcdsaKey();
  const client = new Client({
    directoryUrl: directory,
    accountKey,
    ...(externalAccountBinding && { externalAccountBinding }),
  });
  await client.createAccount({ termsOfServiceAgreed: true });
  return {
    client,
    async issue(name, present, extra = {}) {
      const order = await client.createOrder({ identifiers: [{ type: "dns", value: name }], ...extra });
      for (const authorization of await client.getAuthorizations(order)) {
        const challenge = authorization.challenges.find(({ type }) => type === "dns-01");
        if (authorization.status === "valid" || !challenge) continue;
        await present(`_acme-challenge.${name}`, await client.getChallengeKeyAuthorization(challenge));
        await client.completeChallenge(challenge);
        await client.waitForValidStatus(challenge);
      }
      const [, csr] = await crypto.createCsr({ altNames: [name] }, await crypto.createPrivateEcdsaKey());
      const finalized = await client.finalizeOrder(order, csr);
      return { order: finalized, chain: await client.getCertificate(finalized) };
    },
  };
}
