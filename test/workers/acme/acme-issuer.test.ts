import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { zone } from "../support/constants.ts";
import { clock } from "../support/controls.ts";
import { freshIdentity } from "../support/identities.ts";
import { scriptedCa } from "../support/scripted-ca.ts";
import { providerOf } from "../support/zone-provider.ts";
import type { AcmeOrder, OrderStep } from "../../../shared/acme/order.ts";
import { silentLog } from "../../../shared/log.ts";
import { createIssuer, createRehearsalIssuer, type IssuerParts } from "../../../workers/certificate/create-issuer.ts";
import { readConfig } from "../../../workers/config.ts";

const directory = "https://issuer.example/directory";
const staging = "https://staging.issuer.example/directory";
const ca = scriptedCa(directory);
const provider = providerOf(env.ZONES.idFromName(zone));
const { id: node } = await freshIdentity();
const hostname = `alice.${zone}`;
let orders = 0;

function partsWith(vars: object = {}): IssuerParts {
  const read = readConfig({
    ...env,
    ISSUER: "acme",
    ACME_DIRECTORY: directory,
    ACME_STAGING_DIRECTORY: staging,
    ...vars,
  } as typeof env);
  if (!read.ok) throw new Error(read.problems.join());
  return { env, config: read.config, secrets: read.secrets, clock, random: () => 0.5, log: silentLog };
}

beforeEach(() => {
  ca.hostname = hostname;
  ca.calls.length = 0;
});

const newOrder = (): AcmeOrder => ({
  id: `order ${++orders}`,
  node,
  csr: new Uint8Array(0),
  hostnames: [hostname],
  progress: "",
});

/** Steps the order until its challenge stands in the zone. */
async function untilPresented(order: AcmeOrder, issuer = createIssuer(partsWith())): Promise<AcmeOrder> {
  let { progress } = order;
  for (let step = 0; step < 12; step++) {
    const stepped = { ...order, progress };
    if (challenges().length > 0) return stepped;
    ({ progress } = processing(await issuer.step(stepped)));
  }
  throw new Error("no challenge");
}

const challenges = (): string[] => provider.lines.filter((line) => line.includes(" TXT "));

function processing(step: OrderStep): Extract<OrderStep, { status: "processing" }> {
  if (step.status !== "processing") throw new Error(JSON.stringify(step));
  return step;
}

test("an order goes by way of the account and the zone: it is opened once, and its challenge is written", async () => {
  const issuer = createIssuer(partsWith());
  const order = await untilPresented(newOrder(), issuer);
  expect(challenges()).toEqual([`_acme-challenge.${hostname} TXT ${ca.value}`]);
  expect(ca.calls.filter((call) => call.startsWith("createOrder"))).toEqual([`createOrder ${hostname}`]);

  await issuer.abandon(order);
  await issuer.abandon(order);
  await expect.poll(challenges).toEqual([]);
});

test("an order that is given up gives its certificate back", async () => {
  const issuer = createIssuer(partsWith());
  for (let nth = 0; nth < 6; nth++) {
    // One more than certificates for the same names.
    const order = await untilPresented(newOrder(), issuer);
    await issuer.abandon(order);
    await expect.poll(challenges).toEqual([]);
  }
});

test("a rehearsal is made at the staging directory only", async () => {
  const rehearsal = createRehearsalIssuer(partsWith());
  if (!rehearsal) throw new Error("no rehearsal");
  scriptedCa(staging).hostname = hostname;
  const order = await untilPresented(newOrder(), rehearsal);
  expect(scriptedCa(staging).orders).toBe(1);
  expect(ca.calls).toEqual([]);
  await rehearsal.abandon(order);
});

test("there are no rehearsals where they are switched off", () => {
  expect(createRehearsalIssuer(partsWith({ ACME_STAGING_DIRECTORY: "off" }))).toBeUndefined();
});

test("the issuer says where it orders, and by whose eyes it sees the zone", () => {
  const doh = "https://dns.example/dns-query";
  expect(createIssuer(partsWith({ ACME_TRUST: "private", DOH: doh })).describe()).toEqual({
    kind: "acme",
    roots: [],
    trust: "private",
    directories: [directory],
    resolvers: [doh],
  });
});
