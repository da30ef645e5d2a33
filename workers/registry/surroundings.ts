/** The rest of the edge, and the Internet, as a node's object sees them. */
import { deliver, type NodeMessage } from "./node-messages.ts";
import { fetchAccountBindings } from "../acme/account-bindings.ts";
import { acmeAccount } from "../acme/account-stub.ts";
import { createIssuer, createRehearsalIssuer, type IssuerParts } from "../certificate/create-issuer.ts";
import type { Issuer } from "../certificate/issuer.ts";
import type { OrderPurpose } from "../certificate/order-store.ts";
import { withDeadline } from "../deadline.ts";
import type { DnsStatus } from "../dns/publication.ts";
import { dnsZone } from "../dns/zone-stub.ts";
import type { Env } from "../env.ts";
import type { Remote } from "../remote.ts";
import type { RouteHub } from "../routing/route-hub.ts";
import { hub, shardOf } from "../routing/shards.ts";
import type { CaAnswer, RenewalInfo } from "../../shared/acme/ca.ts";
import type { Admissions, ChallengeRecord, Presented, Trouble } from "../../shared/acme/ports.ts";
import { judgeCaa } from "../../shared/dns/caa.ts";
import { createDohServer } from "../../shared/dns/doh.ts";
import { fetchEffectiveCaa } from "../../shared/dns/effective-caa.ts";
import type { DnsRecord } from "../../shared/dns/record.ts";
import { AppError, errorText } from "../../shared/errors.ts";
import type { AccountBinding } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** What throws, throws {@link AppError}. */
export interface Surroundings {
  /** Throws `issuer-unavailable` when there is none. */
  issuer(purpose: OrderPurpose): Issuer;
  hubOf(hostname: string): Pick<Remote<RouteHub>, "claimAlias">;
  deliver(message: NodeMessage): Promise<void>;
  presentChallenges(node: NodeId, order: string, records: readonly ChallengeRecord[]): Promise<Presented>;
  dnsStatus(node: NodeId): Promise<DnsStatus>;
  /** By which the edge orders for nodes; undefined while they are not known. */
  fetchAccounts(): Promise<readonly AccountBinding[] | undefined>;
  fetchRenewalInfo(directory: string, certificateId: string): Promise<CaAnswer<RenewalInfo | undefined>>;
  /** Undefined for a directory that is not among the settings. */
  admissions(directory: string): Admissions | undefined;
  /** Looks from outside at the CAA records in force at the one name of `wanted`. */
  judgeCaa(wanted: readonly DnsRecord[]): Promise<Trouble | undefined>;
}

/** A challenge waits a moment for the zone's provider. */
const presentDeadlineMs = 8_000;
/** Several CAs may have to be asked, for as long as each is waited for. */
const accountsDeadlineMs = 30_000;

export function liveSurroundings(parts: IssuerParts): Surroundings {
  const { env, config } = parts;
  const zone = (): ReturnType<typeof dnsZone> => dnsZone(env, config.zone);
  const isConfigured = (directory: string): boolean => config.acme.directories.some(({ url }) => url === directory);
  return {
    issuer: (purpose) => (purpose === "serve" ? createIssuer(parts) : rehearsalIssuer(parts)),
    hubOf: (hostname) => hub(env, shardOf(hostname)),
    deliver: (message) => deliver(message, env, config.zone),
    presentChallenges: (node, order, records) =>
      reached(zone().present({ node, order, records: [...records] }), "The zone's object", presentDeadlineMs),
    dnsStatus: (node) => reached(zone().status(node), "The zone's object"),
    fetchAccounts: () => reached(fetchAccountBindings(env, config), "The accounts at the CAs", accountsDeadlineMs),
    async fetchRenewalInfo(directory, certificateId) {
      // A directory that was taken out of the settings has nothing to say any more.
      if (!isConfigured(directory)) return { ok: true, value: undefined };
      return acmeAccount(env, directory).renewalInfo(certificateId);
    },
    admissions: (directory) => (isConfigured(directory) ? admissionsOf(env, directory) : undefined),
    judgeCaa: (wanted) => judgeFromOutside(wanted, config.zone, config.resolvers),
  };
}

function admissionsOf(env: Env, directory: string): Admissions {
  const account = acmeAccount(env, directory);
  return {
    admit: (request, options) => reached(account.admit(request, options), "The issuance budget"),
    settle: (order, outcome) => reached(account.settle(order, outcome), "The issuance budget"),
  };
}

function rehearsalIssuer(parts: IssuerParts): Issuer {
  const issuer = createRehearsalIssuer(parts);
  if (!issuer) throw new AppError("issuer-unavailable", "Rehearsals are switched off.");
  return issuer;
}

/** By the first resolver that answers. */
async function judgeFromOutside(
  wanted: readonly DnsRecord[],
  zone: string,
  resolvers: readonly string[],
): Promise<Trouble | undefined> {
  const name = wanted[0]?.name ?? zone;
  let failure = new AppError("upstream-unavailable", "There is no resolver to ask for CAA records.");
  for (const url of resolvers) {
    try {
      const resolver = createDohServer({ url, fetch: (input, init) => fetch(input, init) });
      const { contents } = await fetchEffectiveCaa(name, zone, resolver);
      return judgeCaa(wanted, contents);
    } catch (error) {
      failure = new AppError("upstream-unavailable", errorText(error), { cause: error });
    }
  }
  throw failure;
}

/** What another object answers; whatever goes wrong on the way is `upstream-unavailable`. */
async function reached<T>(answer: Promise<T>, what: string, deadlineMs?: number): Promise<T> {
  try {
    return await withDeadline(answer, what, deadlineMs);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("upstream-unavailable", `${what} cannot be reached now; try again.`, { cause: error });
  }
}
