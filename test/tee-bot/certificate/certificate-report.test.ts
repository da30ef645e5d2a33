import { describe, expect, it } from "vitest";
import { parseCertificate } from "../../../tee-bot/certificate/certificate.ts";
import {
  certificateProblem,
  reportCertificate,
  type CertificateState,
} from "../../../tee-bot/certificate/certificate-report.ts";
import { issue, newTlsKey } from "../support/issue.ts";

const dayMs = 86_400_000;
const notBefore = Date.UTC(2026, 0, 1);
const notAfter = notBefore + 90 * dayMs;
const certificate = parseCertificate(await issue(newTlsKey(), { hostnames: ["a.test"], notBefore, notAfter }));
const none: CertificateState = {
  certificate: undefined,
  renewal: undefined,
  waitsFor: undefined,
  trouble: undefined,
  failed: false,
  last: undefined,
};
const trouble = { detail: "The token has no rights.", remedy: "Give it some." };
const renewal = { at: notBefore + 60 * dayMs, source: "ari" } as const;
const waitsFor = "waiting for DNS: 1 of 2 resolvers see it, next look in 8 s";

describe("the report on the certificate", () => {
  const cases: [what: string, state: Partial<CertificateState>, day: number, name: string, words: string][] = [
    ["there is none", {}, 0, "missing", "None has been issued yet."],
    [
      "the first is ordered",
      { waitsFor },
      0,
      "ordering",
      "Waiting for DNS: 1 of 2 resolvers see it, next look in 8 s.",
    ],
    [
      "all is well",
      { certificate, renewal },
      30,
      "valid",
      "Valid until 2026-04-01 00:00 UTC (60 days). Renewal 2026-03-02 00:00 UTC, as its CA wants.",
    ],
    [
      "it is renewed",
      { certificate, renewal, waitsFor },
      60,
      "renewing",
      `Valid until 2026-04-01 00:00 UTC (30 days). The next: ${waitsFor}.`,
    ],
    ["it ends soon", { certificate, trouble }, 85, "ending", "Valid until 2026-04-01 00:00 UTC (5 days)."],
    ["it has ended", { certificate }, 92, "expired", "It has ended 2026-04-01 00:00 UTC (2 days ago)."],
  ];
  it.each(cases)("says, when %s, what a person needs", (_, state, day, name, words) => {
    expect(reportCertificate({ ...none, ...state }, notBefore + day * dayMs)).toMatchObject({ state: name, words });
  });

  it("has issuer, lifetime, plan and trouble as values", () => {
    expect(reportCertificate({ ...none, certificate, renewal, trouble }, notBefore)).toMatchObject({
      issuer: "root of the test",
      notBefore,
      notAfter,
      renewal,
      trouble,
      last: null,
    });
  });
});

describe("what is wrong with the certificate", () => {
  const cases: [what: string, state: Partial<CertificateState>, day: number, problem: RegExp | undefined][] = [
    ["there is none", {}, 0, /^None has been issued yet\.$/],
    ["the first waits", { waitsFor, trouble }, 0, /^Waiting for DNS.* The token has no rights\. Give it some\.$/],
    ["all is well", { certificate, renewal }, 30, undefined],
    ["a renewal goes on in trouble with time left", { certificate, waitsFor, trouble }, 60, undefined],
    ["a renewal has failed", { certificate, trouble, failed: true }, 60, /^The token has no rights\. Give it some\.$/],
    ["a renewal goes on in trouble and the end nears", { certificate, waitsFor, trouble }, 64, /no rights/],
    ["a renewal waits without trouble and the end nears", { certificate, waitsFor }, 64, undefined],
    ["there is a tenth left", { certificate, waitsFor }, 82, /^Valid until .*\(8 days\)\. The next: waiting/],
    ["it has ended", { certificate }, 91, /^It has ended/],
  ];
  it.each(cases)("when %s", (_, state, day, problem) => {
    const found = certificateProblem({ ...none, ...state }, notBefore + day * dayMs);
    if (problem) expect(found).toMatch(problem);
    else expect(found).toBeUndefined();
  });
});
