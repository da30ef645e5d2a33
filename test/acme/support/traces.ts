/** What an order leaves behind in the world: certificates at the CA, challenges in the zone. */
import { expect } from "vitest";
import type { SeenOrder } from "../../support/acme/order-book.ts";
import type { CertificateWorld } from "../../support/acme/certificate-world.ts";
import { until } from "../../support/postern.ts";
import type { TestNode } from "./node.ts";

const sweptMs = 15_000;

/** Orders of the node that the CA has given a certificate for. */
export function issuedTo({ proxy }: CertificateWorld, { name }: Pick<TestNode, "name">): SeenOrder[] {
  return proxy.orders.filter(({ names, finalized }) => finalized && names.includes(name));
}

/** Names at which challenges stand. */
export function challengesIn({ store }: CertificateWorld): string[] {
  const records = store.now().all();
  return records.filter(({ type }) => type === "TXT").map(({ name }) => name);
}

/** Exactly one certificate, and nothing left in the zone but what should be there. */
export async function expectNothingLeft(world: CertificateWorld, node: TestNode, certificates = 1): Promise<void> {
  expect(issuedTo(world, node)).toHaveLength(certificates);
  await until(
    () => challengesIn(world).length === 0,
    sweptMs,
    `no challenge is left: ${challengesIn(world).join(", ")}`,
  );
}
