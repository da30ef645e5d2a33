import { afterEach, describe, expect, it } from "vitest";
import { collateralSchema } from "../../../../shared/attestation/collateral.ts";
import {
  fetchCollateral,
  fetchPlatformCollateral,
  type FetchedCollateral,
} from "../../../../tee-bot/attestation/collateral/fetch-collateral.ts";
import { createTestCertificate } from "../../../support/certificate.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { crl, signature, startPcs, type Pcs, type PcsAnswer } from "../support/pcs.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const start = async (): Promise<Pcs> => stack.use(await startPcs());
const platform = { fmspc: "B0C06F000000", ca: "platform" } as const;
const clock = new ManualClock(1_800_000_000_500);
const ask = (base: string, signal?: AbortSignal): Promise<FetchedCollateral> =>
  fetchPlatformCollateral(platform, { base, fetch, clock, ...(signal && { signal }) });

describe("collateral", () => {
  it("is asked of the four places of the API, and kept exactly as it was signed", async () => {
    const pcs = await start();
    const { documents, retrieved_at, source } = await ask(pcs.base);
    expect(pcs.asked.toSorted()).toEqual([
      "/sgx/certification/v4/pckcrl?ca=platform&encoding=der",
      "/sgx/certification/v4/rootcacrl",
      "/tdx/certification/v4/qe/identity?update=standard",
      "/tdx/certification/v4/tcb?fmspc=B0C06F000000",
    ]);
    expect(collateralSchema.parse(documents)).toEqual(documents);
    // With the space that is in it: a parsed and written text would have none.
    expect(documents.tcb_info).toBe('{"id":"TDX", "nextUpdate":"2027-01-01T00:00:00Z"}');
    expect(documents.tcb_info_signature).toBe(signature);
    expect(documents.root_ca_crl).toBe(crl);
    expect(documents.pck_crl).toBe(crl);
    expect(documents.pck_crl_issuer_chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect({ retrieved_at, source }).toEqual({ retrieved_at: 1_800_000_000, source: pcs.base });
  });

  it.each(["/", "/sgx/certification/v4", "/tdx/certification/v4/"])(
    "is asked at a base that ends in %s too",
    async (end) => {
      const pcs = await start();
      await ask(pcs.base + end);
      expect(pcs.asked).toContain("/sgx/certification/v4/rootcacrl");
    },
  );

  it("has the root's revocation list from where Intel keeps it, when Intel is asked", async () => {
    const asked: string[] = [];
    const record: typeof fetch = (url) => {
      asked.push(url as string);
      return Promise.reject(new Error("no network here"));
    };
    const request = { base: "https://api.trustedservices.intel.com", fetch: record, clock };
    await expect(fetchPlatformCollateral(platform, request)).rejects.toMatchObject({ code: "upstream-unavailable" });
    expect(asked).toContain("https://certificates.trustedservices.intel.com/IntelSGXRootCA.der");
    expect(asked).not.toContain("https://api.trustedservices.intel.com/sgx/certification/v4/rootcacrl");
  });

  const wrong: [string, keyof Pcs["answers"], PcsAnswer, RegExp][] = [
    ["a status other than 200", "tcb", { status: 404 }, /status 404/],
    ["a redirect", "rootcacrl", { status: 302, headers: { location: "/elsewhere" } }, /status 302/],
    ["no chain", "pckcrl", { body: Buffer.from(crl, "hex") }, /no header sgx-pck-crl-issuer-chain/],
    ["a chain that is none", "pckcrl", { headers: { "SGX-PCK-CRL-Issuer-Chain": "x" }, body: crl }, /no certificates/],
    [
      "a chain badly escaped",
      "pckcrl",
      { headers: { "SGX-PCK-CRL-Issuer-Chain": "%zz" }, body: crl },
      /no certificates/,
    ],
    ["a page instead of a revocation list", "rootcacrl", { body: "<html>" }, /no revocation list/],
    ["a body without end", "rootcacrl", { body: "3".repeat(600_000) }, /more than 524288 bytes/],
    [
      "another member than the one asked for",
      "tcb",
      { body: `{"x":{},"signature":"${signature}"}` },
      /no signed tcbInfo/,
    ],
    [
      "a member twice",
      "tcb",
      { body: `{"tcbInfo":{"a":1},"tcbInfo":{"a":2},"signature":"${signature}"}` },
      /no signed tcbInfo/,
    ],
    ["a short signature", "identity", { body: '{"enclaveIdentity":{},"signature":"ab"}' }, /no signed enclaveIdentity/],
    ["a text cut short", "identity", { body: '{"enclaveIdentity":{"a":' }, /no signed enclaveIdentity/],
  ];
  it.each(wrong)("is refused with %s", async (_, place, answer, says) => {
    const pcs = await start();
    const usual = pcs.answers[place];
    const keepsHeaders = answer.body !== undefined && place !== "pckcrl";
    pcs.answers[place] = { ...(keepsHeaders && { headers: usual.headers ?? {} }), ...answer };
    await expect(ask(pcs.base)).rejects.toMatchObject({
      code: "upstream-unavailable",
      detail: expect.stringMatching(says) as string,
    });
  });

  it("is refused when certificates come that are not certificates", async () => {
    const pcs = await start();
    const { certificate } = await createTestCertificate({ hostnames: ["issuer.test"] });
    const broken = encodeURIComponent(certificate.replace(/\n[A-Za-z0-9+/]{8}/, "\nAAAAAAAA"));
    pcs.answers.tcb = { ...pcs.answers.tcb, headers: { "TCB-Info-Issuer-Chain": broken } };
    await expect(ask(pcs.base)).rejects.toMatchObject({ code: "upstream-unavailable" });
  });

  it("is given up when the caller gives up, and not waited for without end", async () => {
    const pcs = await start();
    pcs.answers.identity = { silent: true };
    const gone = new AbortController();
    setTimeout(() => gone.abort(new Error("enough")), 50);
    await expect(ask(pcs.base, gone.signal)).rejects.toThrow("enough");
  });

  it("is not asked for what is no quote", async () => {
    for (const quote of [new Uint8Array(), new Uint8Array(5_000), new Uint8Array(70_000)])
      await expect(fetchCollateral({ base: "http://127.0.0.1:9", quote, fetch, clock })).rejects.toMatchObject({
        code: "evidence-rejected",
      });
    await expect(ask("not a URL")).rejects.toMatchObject({ code: "bad-request" });
  });
});
