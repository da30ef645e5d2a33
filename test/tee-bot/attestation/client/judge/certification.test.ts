import { describe, expect, it } from "vitest";
import { judgeCertification } from "../../../../../tee-bot/attestation/client/judge/certification.ts";
import { someKeyset } from "../support/evidence.ts";

const account = "https://ca.example/acct/1";
const keyset = someKeyset({ acme_accounts: [account] });
const found = (...contents: string[]) =>
  ({ state: "found", at: "example.net", contents, resolver: "https://dns.example" }) as const;
const caaOf = (...contents: string[]): string | undefined =>
  judgeCertification(keyset, found(...contents)).find(({ id }) => id === "caa")?.outcome;
const own = `0 issue "ca.example; validationmethods=dns-01; accounturi=${account}"`;

describe("who may get a certificate for a name", () => {
  it("is nobody else where each record names an account that the quote binds", () => {
    expect(caaOf(own)).toBe("pass");
    expect(caaOf(own, '0 issuewild ";"', '0 iodef "mailto:a@example.net"')).toBe("pass");
    expect(caaOf(`0 issue "ca.example; accounturi=${account.replace(":", "%3A")}"`)).toBe("pass");
  });

  it("is somebody else too where a record lets in another account, or any", () => {
    expect(caaOf(own, '0 issue "ca.example; accounturi=https://ca.example/acct/2"')).toBe("fail");
    expect(caaOf(own, '0 issue "other.example"')).toBe("fail");
    expect(caaOf(own, '0 issuewild "other.example"')).toBe("fail");
    expect(judgeCertification(keyset, found(own, '0 issue "other.example"'))[1]?.detail).toContain(
      "any account of other.example",
    );
  });

  it("is everybody where no record says who may issue", () => {
    expect(caaOf()).toBe("fail");
    expect(caaOf('0 iodef "mailto:a@example.net"')).toBe("fail");
  });

  it("is not known without an account that the quote binds, or without DNS", () => {
    const outcomes = (...args: Parameters<typeof judgeCertification>) =>
      judgeCertification(...args).map(({ outcome }) => outcome);
    expect(outcomes(undefined, found(own))).toEqual(["skip", "skip"]);
    expect(outcomes(someKeyset(), found(own))).toEqual(["skip", "skip"]);
    expect(outcomes(keyset, { state: "unknown", problem: "no answer" })).toEqual(["pass", "skip"]);
  });
});
