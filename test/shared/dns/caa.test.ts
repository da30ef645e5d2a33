import { describe, expect, test } from "vitest";
import { judgeCaa, normaliseCaa, parseCaa, wantedCaa } from "../../../shared/dns/caa.ts";

const name = "alice.nodes.example.test";
const account = { ca: "letsencrypt.org", accountUri: "https://acme.example/acct/1", methods: ["dns-01" as const] };
const overflow = { ca: "pki.goog", accountUri: "https://other.example/acct/2", methods: ["dns-01" as const] };
const wanted = wantedCaa(name, [account, overflow]);
const contents = wanted.map(({ content }) => content);

describe("the CAA records of a name", () => {
  test("let one account of each CA issue, by its methods", () => {
    expect(wantedCaa(name, [{ ...account, methods: ["dns-01", "tls-alpn-01"] }])).toEqual([
      {
        name,
        type: "CAA",
        content:
          '0 issue "letsencrypt.org; validationmethods=dns-01,tls-alpn-01; accounturi=https://acme.example/acct/1"',
        ttl: 300,
      },
    ]);
    expect(wantedCaa(name, [account, account])).toHaveLength(1);
    expect(wantedCaa(name, [])).toEqual([]);
  });

  test("cannot be given more parameters by what an account is called", () => {
    const [record] = wantedCaa(name, [{ ...account, accountUri: 'https://x.example/;a" \\' }]);
    expect(record?.content).toMatch(/accounturi=https:\/\/x\.example\/%3Ba%22%20%5C"$/);
    expect(Object.keys(parseCaa(record?.content ?? "")?.parameters ?? {})).toEqual(["validationmethods", "accounturi"]);
  });
});

test.each<[string, ReturnType<typeof parseCaa>]>([
  ['0 issue "ca.example"', { critical: false, tag: "issue", issuer: "ca.example", parameters: {} }],
  ['128 ISSUE ";"', { critical: true, tag: "issue", issuer: "", parameters: {} }],
  [
    '0 issue " CA.example ; Account = 1 ;x=a=b"',
    { critical: false, tag: "issue", issuer: "ca.example", parameters: { account: "1", x: "a=b" } },
  ],
  [
    '0 iodef "mailto:a@example.test"',
    { critical: false, tag: "iodef", issuer: "mailto:a@example.test", parameters: {} },
  ],
  ["issue ca.example", undefined],
  ['256 issue "ca.example"', undefined],
])("the CAA record %s is read", (content, caa) => {
  expect(parseCaa(content)).toEqual(caa);
});

test("two spellings of a CAA record compare as equal", () => {
  expect(normaliseCaa('0 issue "CA.example;b=2 ;a=1"')).toBe(normaliseCaa('0 ISSUE "ca.example; a=1; b=2"'));
  expect(normaliseCaa('0 issue "ca.example; a=1"')).not.toBe(normaliseCaa('0 issue "ca.example; a=2"'));
});

describe("the judgement of what the Internet sees", () => {
  test("finds nothing wrong with what was written, in any order and spelling, beside a contact", () => {
    const spelled = contents.map((content) => content.replaceAll("; ", ";")).toReversed();
    expect(judgeCaa(wanted, [...spelled, '0 iodef "mailto:a@example.test"'])).toBeUndefined();
    expect(judgeCaa(wanted, [...contents, '0 issuewild ";"'])).toBeUndefined();
    expect(judgeCaa([], ['0 issue "ca.example"'])).toBeUndefined();
  });

  test("tells of Cloudflare's own records, and how to be rid of them", () => {
    const universal = [
      '0 issue "letsencrypt.org"',
      '0 issue "pki.goog; cansignhttpexchanges=yes"',
      '0 issuewild "ssl.com"',
    ];
    expect(judgeCaa(wanted, universal)).toMatchObject({
      detail: expect.stringContaining("letsencrypt.org, pki.goog, ssl.com may issue for any account"),
      remedy: expect.stringMatching(/Universal SSL .*Advanced Certificate Manager.*CVE-2026-14440/s),
    });
    expect(judgeCaa(wanted, [...contents, ...universal])?.remedy).toContain("Universal SSL");
  });

  test.each([
    [
      "another account",
      [...contents, '0 issue "letsencrypt.org; accounturi=https://acme.example/acct/9"'],
      "other accounts",
    ],
    ["none at all", [], "every CA may issue"],
    ["one missing", contents.slice(0, 1), "1 of 2 CAA records"],
    ["nobody may issue", ['0 issue ";"'], "0 of 2 CAA records"],
  ])("tells of %s", (_, effective, words) => {
    const trouble = judgeCaa(wanted, effective);
    expect(trouble?.detail).toContain(words);
    expect(trouble?.detail).toContain(name);
    expect(trouble?.remedy).not.toContain("Universal SSL");
  });
});
