/** Which of the edge's accounts may have certificates issued: what CAA records of nodes have to say (RFC 8657). */
import { acmeAccount } from "./account-stub.ts";
import type { Config } from "../config.ts";
import type { Env } from "../env.ts";
import { caaIdentitiesOf } from "../../shared/acme/caa-identity.ts";
import type { CaAnswer, CaDescription } from "../../shared/acme/ca.ts";
import type { AccountBinding } from "../../shared/registry/messages.ts";

/**
 * One for each directory in use, that of rehearsals too. Undefined as long as one of the CAs has not said who we are
 * there; empty when there can be no CAA records, since a CA that no record can name would be shut out by them.
 */
export async function fetchAccountBindings(env: Env, { acme }: Config): Promise<readonly AccountBinding[] | undefined> {
  const { directories, staging, caaIdentities } = acme;
  const urls = new Set([...directories, ...(staging ? [staging] : [])].map(({ url }) => url));
  const answers = await Promise.all([...urls].map((url) => acmeAccount(env, url).recall()));
  return decideBindings(answers, caaIdentities);
}

/** `identities` are those for CAs that name none. */
export function decideBindings(
  answers: readonly CaAnswer<CaDescription>[],
  identities: readonly string[],
): AccountBinding[] | undefined {
  const bindings: AccountBinding[] = [];
  for (const answer of answers) {
    if (!answer.ok) {
      if (answer.failure.kind === "refused") continue; // it gives us no account, so it issues nothing
      return undefined;
    }
    const names = caaIdentitiesOf(answer.value, identities);
    if (names.length === 0) return [];
    for (const ca of names) bindings.push({ ca, accountUri: answer.value.accountUri, methods: ["dns-01"] });
  }
  return bindings;
}
