import { expect, test } from "vitest";
import { acmeAccount } from "../../../workers/acme/account-stub.ts";
import type { Env } from "../../../workers/env.ts";

/** An edge whose accounts cannot be reached. */
const broken = {
  ACCOUNTS: {
    idFromName: (name: string) => name,
    get: () => new Proxy({}, { get: () => () => Promise.reject(new Error("internal: object lost")) }),
  },
} as unknown as Env;

const account = acmeAccount(broken, "https://ca.example/directory");

test("an account that cannot be reached is a CA that does not answer: its methods do not throw, nor tell more", async () => {
  const url = "https://ca.example/1";
  const answers = await Promise.all([
    account.describe(),
    account.recall(),
    account.createOrder({ order: "a", hostnames: [] }),
    account.readOrder(url),
    account.readAuthorizations([url]),
    account.completeChallenge(url),
    account.finalize({ url, finalize: url }, new Uint8Array(0)),
    account.download(url),
    account.renewalInfo("id"),
  ]);
  for (const answer of answers)
    expect(answer).toEqual({
      ok: false,
      failure: { kind: "unavailable", detail: "The edge's account at the CA did not answer." },
    });
});

test("a budget that cannot be reached admits nobody", async () => {
  const request = { order: "a", node: "n", hostnames: [], exempt: false };
  await expect(account.admit(request, { queue: true })).rejects.toThrow();
  await expect(account.settle("a", "failed")).rejects.toThrow();
});
