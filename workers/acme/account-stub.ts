import type { AcmeAccount } from "./account-object.ts";
import { withDeadline } from "../deadline.ts";
import type { Env } from "../env.ts";
import type { Remote } from "../remote.ts";
import type { Ca, CaAnswer, CaDescription } from "../../shared/acme/ca.ts";
import type { Admissions } from "../../shared/acme/ports.ts";

/** Longer than a CA is waited for. */
const caDeadlineMs = 25_000;

export interface EdgeAccount extends Ca, Admissions {
  /** As {@link Ca.describe}, from memory where that is possible. */
  recall(): Promise<CaAnswer<CaDescription>>;
}

/** The edge's account at the CA with this directory. The methods of {@link Ca} never throw, the others may. */
export function acmeAccount(env: Env, directory: string): EdgeAccount {
  const account: Remote<AcmeAccount> = env.ACCOUNTS.get(env.ACCOUNTS.idFromName(directory));
  return {
    describe: () => answerOf(account.describe()),
    recall: () => answerOf(account.recall()),
    createOrder: (request) => answerOf(account.createOrder(request)),
    readOrder: (url) => answerOf(account.readOrder(url)),
    readAuthorizations: (urls) => answerOf(account.readAuthorizations(urls)),
    completeChallenge: (url) => answerOf(account.completeChallenge(url)),
    finalize: (order, csr) => answerOf(account.finalize(order, csr)),
    download: (url) => answerOf(account.download(url)),
    renewalInfo: (certificateId) => answerOf(account.renewalInfo(certificateId)),
    admit: (request, options) => withDeadline(account.admit(request, options), "The issuance budget"),
    settle: (order, outcome) => withDeadline(account.settle(order, outcome), "The issuance budget"),
  };
}

async function answerOf<T>(answer: Promise<CaAnswer<T>>): Promise<CaAnswer<T>> {
  try {
    return await withDeadline(answer, "The account's object", caDeadlineMs);
  } catch {
    return { ok: false, failure: { kind: "unavailable", detail: "The edge's account at the CA did not answer." } };
  }
}
