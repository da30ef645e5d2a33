import { describe, expect, it } from "vitest";
import { findCaaOpenings, normaliseCaaSet } from "../../../../tee-bot/attestation/transparency/decide-caa.ts";

const own = "https://ca.example/acct/1";
const bound = `0 issue "ca.example; validationmethods=dns-01; accounturi=${own}"`;

describe("CAA records", () => {
  it.each([
    ["that name the attested account alone", [bound], []],
    ["that forbid wildcards beside", [bound, '0 issuewild ";"'], []],
    ["that forbid all", ['0 issue ";"'], []],
    ["there are none", [], ["No issue record stands there: every CA may issue."]],
    ["that only ask for reports", ['0 iodef "mailto:a@b.c"'], ["No issue record stands there: every CA may issue."]],
    [
      "that name a CA without an account",
      [bound, '0 issue "other.example"'],
      ["other.example may issue for any account."],
    ],
    [
      "that name another account",
      [bound, '0 issue "ca.example; accounturi=https://ca.example/acct/2"'],
      ["ca.example may issue for an account that is not attested: https://ca.example/acct/2."],
    ],
    ["that let wildcards in", [bound, '0 issuewild "ca.example"'], ["ca.example may issue for any account."]],
  ])("%s", (_, contents, openings) => {
    expect(findCaaOpenings(contents, [own])).toEqual(openings);
  });

  it("in another spelling and order are the same", () => {
    const other = ['128 iodef "x"', `0 ISSUE "CA.example;accounturi=${own}; validationmethods=dns-01"`];
    expect(normaliseCaaSet(other)).toEqual(normaliseCaaSet([bound, '128 iodef "x"', bound]));
  });
});
