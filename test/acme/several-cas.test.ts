/** Several CAs in the order of preference: what the first has no room for, or is away for, the next one issues. */
import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startAcmeProxy, type AcmeProxy } from "../support/acme/acme-proxy.ts";
import { startCertificateWorld, type CertificateWorld } from "../support/acme/certificate-world.ts";
import { startPebble, type Pebble } from "../support/acme/pebble.ts";
import { startEdge, type TestEdge } from "./support/edge.ts";
import { startNode, type TestNode } from "./support/node.ts";
import { expectNothingLeft } from "./support/traces.ts";

const kid = "kid-of-the-operator";
const hmacKey = Buffer.alloc(32, 7).toString("base64url");

let world: CertificateWorld;
let secondPebble: Pebble;
let second: AcmeProxy;
let edge: TestEdge;

beforeAll(async () => {
  world = await startCertificateWorld();
  secondPebble = await startPebble({
    dnsServer: world.zoneServer.address,
    tls: world.pebble.tls, // one CA to trust for both directories
    externalAccounts: { [kid]: hmacKey },
  });
  second = await startAcmeProxy(secondPebble);
  second.caaIdentities = ["second.example.test"];
  edge = await startEdge(world, {
    ACME_DIRECTORY: `${world.directory},${second.directory}`,
    ACME_EAB_KID_2: kid,
    ACME_EAB_HMAC_KEY_2: hmacKey,
    ACME_LIMITS: "certificates=1/7d, duplicates=5/7d, orders=300/3h",
  });
});

afterAll(async () => {
  await edge[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
  await secondPebble[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

async function issuerOf(node: TestNode): Promise<string | undefined> {
  const { issuer, certificate } = await node.valid(await node.order());
  expect(new X509Certificate(certificate ?? "").subjectAltName).toContain(node.name);
  return issuer;
}

test("the first takes what its budget allows, the second the rest, and then one waits with a place", async () => {
  const [one, two, three] = [await startNode(edge), await startNode(edge), await startNode(edge)];
  expect(await issuerOf(one)).toBe(world.directory);
  expect(await issuerOf(two)).toBe(second.directory);
  expect(world.proxy.orders).toHaveLength(1);
  expect(second.orders).toHaveLength(1);

  const waiting = await three.follow(await three.order(), ({ words }) => words?.includes("place") === true);
  expect(waiting).toMatchObject({ status: "processing", words: expect.stringMatching(/place 1, turn in about \d+ d/) });
  await expectNothingLeft(world, one);
});

test("the CAA records of a node let both issue, each for the operator's account there", async () => {
  const node = await startNode(edge);
  await node.settled();
  const records = world.store
    .now()
    .at(node.name)
    .filter(({ type }) => type === "CAA");
  expect(records.map(({ content }) => content).toSorted()).toEqual([
    expect.stringMatching(/^0 issue "ca\.example\.test; accounturi=https:\S+; validationmethods=dns-01"$/),
    expect.stringMatching(/^0 issue "second\.example\.test; accounturi=https:\S+; validationmethods=dns-01"$/),
  ]);
});
