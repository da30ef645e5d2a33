import { acmeAccount } from "./account-stub.ts";
import type { Directory } from "./directories.ts";
import { zonePropagation } from "./zone-propagation.ts";
import type { IssuerParts } from "../certificate/create-issuer.ts";
import type { Issuer } from "../certificate/issuer.ts";
import { withDeadline } from "../deadline.ts";
import { dnsZone } from "../dns/zone-stub.ts";
import { stepOrder, type AcmeOrder } from "../../shared/acme/order.ts";
import type { ChallengeRecords, Issuing } from "../../shared/acme/ports.ts";
import { parseNodeId } from "../../shared/registry/node-id.ts";

/** The zone's object waits a moment for the records to be written. */
const presentDeadlineMs = 8_000;

/**
 * Orders from ACME CAs with the edge's accounts there: `directories` in the order of preference. The challenges are
 * TXT records that the zone's object writes.
 */
export function acmeIssuer(parts: IssuerParts, directories: readonly Directory[]): Issuer {
  const { env, config, clock, random } = parts;
  const issuing: Issuing[] = directories.map(({ url }) => {
    const account = acmeAccount(env, url);
    return { directory: url, ca: account, admissions: account };
  });
  return {
    describe: () => ({
      kind: "acme",
      roots: [...config.acme.roots],
      trust: config.acme.trust,
      directories: directories.map(({ url }) => url),
      resolvers: [...config.resolvers],
    }),

    step: (order) =>
      stepOrder(order, {
        issuing,
        records: challengeRecords(parts, order),
        propagation: zonePropagation(config, clock),
        clock,
        random,
      }),

    async abandon(order) {
      await challengeRecords(parts, order).withdraw(order.id);
      await Promise.all(issuing.map(({ admissions }) => admissions.settle(order.id, "failed")));
    },
  };
}

function challengeRecords({ env, config }: IssuerParts, { node: owner }: AcmeOrder): ChallengeRecords {
  const node = parseNodeId(owner);
  const zone = dnsZone(env, config.zone);
  return {
    present: (order, records) => withDeadline(zone.present({ node, order, records }), "The zone", presentDeadlineMs),
    withdraw: (order) => withDeadline(zone.withdraw({ node, order }), "The zone"),
  };
}
