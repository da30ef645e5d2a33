import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createAccountKey } from "../../../shared/acme/account-key.ts";
import type { Ca, CaAnswer, CaOrder } from "../../../shared/acme/ca.ts";
import { acmeFault } from "../../support/acme/acme-proxy.ts";
import { contentType, htmlPage, type Fault } from "../../support/faults.ts";
import { startRealCa, type RealCa } from "./real-ca.ts";

let real: RealCa;
let accountKey: string;
let accountUri: string;
let order: CaOrder;
let certificate: string;
beforeAll(async () => {
  real = await startRealCa();
  accountKey = await createAccountKey();
  const ca = await real.client({ accountKey });
  const opened = await ca.createOrder({ order: "open", hostnames: ["open.nodes.example.test"] });
  if (!opened.ok) throw new Error(opened.failure.detail);
  order = opened.value;
  await real.order(ca, "issued", ["issued"]);
  const issued = await ca.createOrder({ order: "issued", hostnames: ["issued.nodes.example.test"] });
  certificate = issued.ok ? (issued.value.certificate ?? "") : "";
  accountUri = real.accounts[0] ?? "";
});
afterEach(() => real.proxy.faults.clear());
afterAll(() => real[Symbol.asyncDispose]());

const timeoutMs = 100;
const csr = new Uint8Array([0x30, 0]);

/** Every method, with the kind of request that it stands or falls with. */
const calls: readonly (readonly [kind: string, call: (ca: Ca) => Promise<CaAnswer<unknown>>])[] = [
  ["directory", (ca) => ca.describe()],
  ["newNonce", (ca) => ca.describe()],
  ["newAccount", (ca) => ca.describe()],
  ["newOrder", (ca) => ca.createOrder({ order: "fault", hostnames: ["fault.nodes.example.test"] })],
  ["order", (ca) => ca.readOrder(order.url)],
  ["authz", (ca) => ca.readAuthorizations(order.authorizations)],
  ["finalize", (ca) => ca.finalize(order, csr)],
  ["certificate", (ca) => ca.download(certificate)],
  ["renewalInfo", (ca) => ca.renewalInfo("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE")],
];
/** What is asked for without an account that is known. */
const first = new Set(["newNonce", "newAccount"]);

const answer = (body: string, type = "application/json", status = 200): Fault => ({
  kind: "answer",
  answer: { status, headers: { "content-type": type }, body },
});

const hostile: readonly (readonly [string, Fault])[] = [
  ["a page of HTML with status 200", htmlPage(200)],
  ["a page of HTML with status 403", htmlPage(403)],
  ["a page of HTML with status 404", htmlPage(404)],
  ["a page of HTML with status 502", htmlPage(502)],
  ["a problem with status 500", acmeFault("serverInternal", 500)],
  ["half a body", { kind: "truncate" }],
  ["a reset connection", { kind: "drop", when: "after" }],
  ["no answer", { kind: "silence", when: "before" }],
  ["another content type", contentType("text/plain")],
  ["JSON that is null", answer("null")],
  ["JSON that is an array", answer("[]")],
  ["JSON that is a number", answer("7")],
  ["an empty object", answer("{}")],
  ["JSON that ends early", answer('{"status": "pen')],
  ["a redirect", { kind: "answer", answer: { status: 302, headers: { location: "https://localhost:1/" }, body: "" } }],
  ["a problem of no type", answer('{"detail": "no"}', "application/problem+json", 400)],
];

describe("an endless body", () => {
  it("is not read to its end", async () => {
    const ca = await real.client({ accountKey, accountUri });
    real.proxy.faults.inject("order", answer(`"${"x".repeat(1_100_000)}"`));
    expect(await ca.readOrder(order.url)).toMatchObject({
      failure: { kind: "unavailable", detail: "The CA's answer has more than 1048576 bytes." },
    });
  });
});

describe.each(hostile)("%s from a CA", (_, fault) => {
  it.each(calls)("as answer to %s is a failure to be tried again, and no crash", async (kind, call) => {
    const now = Date.now();
    real.proxy.renewalInfo = () => ({ start: new Date(now), end: new Date(now + 1) });
    const ca = await real.client({
      accountKey,
      ...(!first.has(kind) && { accountUri }),
      ...(fault.kind === "silence" && { timeoutMs }),
    });
    const injection = real.proxy.faults.inject(kind, fault, { times: 1 });
    const made = await call(ca);
    expect(injection.hits).toBe(1);
    // A nonce comes in a header, whatever the body is.
    if (made.ok) return expect(kind).toBe("newNonce");
    // To finalize what is not ready is refused, with a problem that has arrived.
    const { kind: failure, detail, type } = made.failure;
    expect(failure === "refused" ? type : failure, detail).toMatch(/^(unavailable|orderNotReady)$/);
    return expect(detail).not.toMatch(/undefined|TypeError|\[object/);
  });
});
