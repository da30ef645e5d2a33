import { expect, test } from "vitest";
import { anything, clientOf, testNode } from "../support/edge.ts";
import { testIdentity } from "../support/identities.ts";
import { routeSchema } from "../../../shared/registry/messages.ts";

const relay = await testIdentity("relay one");
const routeOf = (name: string) => clientOf(relay, "postern-relay").request("GET", `/v1/routes/${name}`, routeSchema);

const rules = { allow: ["192.0.2.0/24"], deny: ["2001:db8::/32"], bytesPerSecond: 1_000_000 };

test("the rules of a node are told with its routes, and stay over a new start", async () => {
  const node = await testNode();
  const { hostnames } = await node.register();
  const name = hostnames[0] ?? "";
  expect(await routeOf(name)).not.toHaveProperty("rules");
  await node.client.request("PUT", `/v1/nodes/${node.id}/rules`, anything, { body: rules });
  expect(await routeOf(name)).toEqual({ name, node: node.id, epoch: 1, rules });
  await node.register();
  expect(await routeOf(name)).toEqual({ name, node: node.id, epoch: 2, rules });
  await node.client.request("PUT", `/v1/nodes/${node.id}/rules`, anything, { body: {} });
  expect(await routeOf(name)).toMatchObject({ rules: { allow: [], deny: [] } });
});

test.for<[string, object]>([
  ["no network", { deny: ["192.0.2.1"] }],
  [
    "not 101 networks",
    {
      deny: Array.from({ length: 60 }, (_, n) => `10.0.${n}.0/24`),
      allow: Array.from({ length: 41 }, (_, n) => `10.1.${n}.0/24`),
    },
  ],
  ["no rate that a handshake would not fit in", { bytesPerSecond: 10 }],
])("rules have %s", async ([, body]) => {
  const node = await testNode();
  await node.register();
  const path = `/v1/nodes/${node.id}/rules`;
  await expect(node.client.request("PUT", path, anything, { body })).rejects.toMatchObject({ code: "bad-request" });
});

test("only the node itself sets its rules", async () => {
  const node = await testNode();
  await node.register();
  const other = await testNode();
  const path = `/v1/nodes/${node.id}/rules`;
  await expect(other.client.request("PUT", path, anything, { body: rules })).rejects.toThrow();
});
