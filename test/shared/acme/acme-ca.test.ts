import { X509Certificate } from "@peculiar/x509";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { certificateIdOf } from "../../../shared/acme/ari.ts";
import type { CaAnswer, CaFailure } from "../../../shared/acme/ca.ts";
import { acmeFault, rateLimited } from "../../support/acme/acme-proxy.ts";
import { startRealCa, type RealCa } from "./real-ca.ts";

let real: RealCa;
beforeAll(async () => {
  real = await startRealCa({ alternateRoots: 1, chainLength: 2 });
});
afterEach(() => {
  real.proxy.faults.clear();
  real.proxy.renewalInfo = undefined;
});
afterAll(() => real[Symbol.asyncDispose]());

function failureOf(answer: CaAnswer<unknown>): CaFailure {
  if (answer.ok) throw new Error(`That went well: ${JSON.stringify(answer.value)}`);
  return answer.failure;
}

function valueOf<T>(answer: CaAnswer<T>): T {
  if (!answer.ok) throw new Error(answer.failure.detail);
  return answer.value;
}

const request = (order: string, name = order) => ({ order, hostnames: [`${name}.nodes.example.test`] });

describe("a CA over the wire", () => {
  it("registers once, also when it is asked by several at once", async () => {
    const { accounts, proxy } = real;
    const ca = await real.client({ contact: "ops@example.test" });
    const before = [accounts.length, proxy.faults.count("newAccount")] as const;
    const [one, other] = await Promise.all([ca.describe(), ca.describe()]);
    await ca.describe();
    expect(one).toEqual(other);
    expect(valueOf(one)).toEqual({
      directory: proxy.directory,
      accountUri: accounts[before[0]],
      caaIdentities: [],
      renewalInfo: false,
    });
    expect([accounts.length, proxy.faults.count("newAccount")]).toEqual([before[0] + 1, before[1] + 1]);
  });

  it("issues a certificate for the names of an order", async () => {
    const step = await real.order(await real.client(), "whole", ["alice", "bob"]);
    if (step.status !== "valid") throw new Error(JSON.stringify(step));
    expect(step.certificate.match(/BEGIN CERTIFICATE/g)).toHaveLength(3);
    expect(step.directory).toBe(real.proxy.directory);
    expect(step.notAfter).toBe(new X509Certificate(step.certificate).notAfter.getTime());
  });

  it("asks for no nonce that it has got with an answer", async () => {
    const { faults } = real.proxy;
    const ca = await real.client();
    await ca.describe();
    const before = faults.count("newNonce");
    for (const order of ["n1", "n2", "n3"]) expect(await ca.createOrder(request(order))).toMatchObject({ ok: true });
    expect(faults.count("newNonce") - before).toBe(0);
  });

  it("makes one order for one id, and another when that has become invalid", async () => {
    const { faults } = real.proxy;
    const ca = await real.client();
    const first = valueOf(await ca.createOrder(request("same")));
    expect(valueOf(await ca.createOrder(request("same"))).url).toBe(first.url);
    const [authorization] = valueOf(await ca.readAuthorizations(first.authorizations));
    const challenge = authorization?.challenges.find(({ type }) => type === "dns-01");
    expect(challenge?.response).toMatch(/^[\w-]{43}$/);
    valueOf(await ca.completeChallenge(challenge?.url ?? ""));
    await expect.poll(async () => valueOf(await ca.readOrder(first.url)).status).toBe("invalid");
    const before = faults.count("newOrder");
    expect(valueOf(await ca.createOrder(request("same"))).url).not.toBe(first.url);
    expect(faults.count("newOrder") - before).toBe(1);
    const [failed] = valueOf(await ca.readAuthorizations(first.authorizations));
    expect(failed?.challenges[0]?.error).toMatchObject({ kind: "refused", type: "unauthorized" });
  });

  it("gives the chain whose issuer is preferred", async () => {
    const roots = (await real.pebble.roots()).map((pem) => new X509Certificate(pem));
    for (const root of roots) {
      const preferredChain = root.subjectName.getField("CN")[0];
      const ca = await real.client({ preferredChain });
      const step = await real.order(ca, `chain-${preferredChain}`, ["chain"]);
      if (step.status !== "valid") throw new Error(JSON.stringify(step));
      const last =
        step.certificate
          .trim()
          .split(/(?=-----BEGIN)/)
          .at(-1) ?? "";
      expect(new X509Certificate(last).issuerName.getField("CN")[0]).toBe(preferredChain);
    }
  });

  it("has thirty orders under way at once", async () => {
    const ca = await real.client();
    const steps = await Promise.all(
      Array.from({ length: 30 }, (_, at) => real.order(ca, `many-${at}`, [`many-${at}`])),
    );
    expect(steps.map(({ status }) => status)).toEqual(steps.map(() => "valid"));
  });

  it("is refused, in words, what the CA will not do", async () => {
    const ca = await real.client();
    expect(failureOf(await ca.createOrder({ order: "bad", hostnames: ["not a name"] }))).toMatchObject({
      kind: "refused",
      type: expect.stringMatching(/^(malformed|rejectedIdentifier)$/) as string,
      status: 400,
    });
    const order = valueOf(await ca.createOrder(request("early")));
    expect(failureOf(await ca.finalize(order, new Uint8Array([0x30, 0])))).toMatchObject({
      kind: "refused",
      type: "orderNotReady",
    });
  });
});

describe("a CA that limits", () => {
  it.each([
    ["seconds", () => "120", 120_000],
    ["a date", () => new Date(Date.now() + 120_000).toUTCString(), 120_000],
  ])("says until when, in %s", async (_, retryAfter, ms) => {
    const ca = await real.client();
    await ca.describe();
    real.proxy.faults.inject("newOrder", rateLimited(retryAfter()));
    const failure = failureOf(await ca.createOrder(request("limited")));
    expect(failure).toMatchObject({
      kind: "rate-limited",
      type: "rateLimited",
      status: 429,
      detail: "too many new orders recently",
    });
    expect(Math.abs((failure.retryAfterMs ?? 0) - ms)).toBeLessThan(2_000);
  });
});

describe("renewal information", () => {
  it("is read where the CA has it, and its certificates are replaced by it", async () => {
    const ca = await real.client();
    const first = await real.order(ca, "ari-1", ["ari"]);
    const id = certificateIdOf(first.status === "valid" ? first.certificate : "") ?? "";
    expect(await ca.renewalInfo(id)).toEqual({ ok: true, value: undefined });

    const [start, end] = [new Date("2027-01-02T03:04:05Z"), new Date("2027-01-04T03:04:05Z")];
    real.proxy.renewalInfo = (wanted) => (wanted === id ? { start, end, retryAfterSeconds: 7_200 } : undefined);
    const fresh = await real.client();
    expect(valueOf(await fresh.describe()).renewalInfo).toBe(true);
    expect(await fresh.renewalInfo(id)).toEqual({
      ok: true,
      value: { from: start.getTime(), to: end.getTime(), retryAfterMs: 7_200_000 },
    });
    expect(failureOf(await fresh.renewalInfo("AAAA.AAAA")).kind).toBe("gone");

    const renewed = await real.order(fresh, "ari-2", ["ari"], id);
    expect(renewed.status).toBe("valid");
    expect(real.proxy.orders.at(-1)?.replaces).toBe(id);
  });

  it("does not stop an order whose predecessor was replaced already", async () => {
    real.proxy.renewalInfo = () => undefined;
    const ca = await real.client();
    real.proxy.faults.inject("newOrder", acmeFault("alreadyReplaced", 409));
    expect((await real.order(ca, "replaced", ["ari"], "AAAA.AAAA")).status).toBe("valid");
    expect(real.proxy.orders.at(-1)?.replaces).toBeUndefined();
  });
});

describe("a CA that has lost everything", () => {
  it("is told of the account again, and the order is made again", async () => {
    await using other = await startRealCa();
    const ca = await other.client();
    const order = valueOf(await ca.createOrder(request("lost")));
    await other.pebble.restart();
    expect(failureOf(await ca.readOrder(order.url)).kind).toBe("account");
    expect(failureOf(await ca.readOrder(order.url)).kind).toBe("gone");
    expect(valueOf(await ca.createOrder(request("lost"))).url).not.toBe(order.url);
    expect(other.accounts).toHaveLength(2);
    expect((await other.order(ca, "after", ["after"])).status).toBe("valid");
  });
});

describe("a CA that refuses most nonces, in strict mode", () => {
  it("still issues", async () => {
    await using other = await startRealCa({ nonceReject: 60, strict: true, authzReuse: 100 });
    const ca = await other.client();
    const steps = [await other.order(ca, "strict-1", ["a", "b"]), await other.order(ca, "strict-2", ["a", "b"])];
    expect(steps.map(({ status }) => status)).toEqual(["valid", "valid"]);
  });
});

describe("a CA that binds accounts to customers", () => {
  it("takes the one whose key it knows, and says what is missing otherwise", async () => {
    const hmacKey = Buffer.alloc(32, 7).toString("base64url");
    await using other = await startRealCa({ externalAccounts: { "kid-1": hmacKey } });
    const bound = await other.client({ externalAccount: { kid: "kid-1", hmacKey } });
    expect((await bound.describe()).ok).toBe(true);
    const unbound = await other.client();
    expect(failureOf(await unbound.describe())).toMatchObject({ kind: "refused", type: "externalAccountRequired" });
    const wrong = await other.client({ externalAccount: { kid: "kid-2", hmacKey } });
    expect(failureOf(await wrong.describe()).kind).toBe("refused");
  });
});
