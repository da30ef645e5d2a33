import { expect, test } from "vitest";
import { collectSettings, decideMistakes, externalAccountNames, mistakeOf } from "../../../scripts/setup/settings.ts";

const good = {
  ZONE: "nodes.example.com",
  ISSUER: "acme",
  DNS: "cloudflare",
  ZONE_ID: "abc",
  CLOUDFLARE_API_TOKEN: "token",
};

test("the first source that says something wins, what is empty says nothing, and what is no setting is left out", () => {
  const collected = collectSettings(
    { ZONE: " a.example ", ISSUER: "" },
    { ZONE: "b.example", ISSUER: "local", HOME: "/root" },
  );
  expect(collected).toEqual({ ZONE: "a.example", ISSUER: "local" });
});

test("settings are judged as the edge will judge them", () => {
  expect(decideMistakes(good, new Set())).toEqual([]);
  expect(decideMistakes({ ...good, LEASE_MS: "x", DOH: "http://a.example/" }, new Set())).toHaveLength(2);
});

test("a secret that the Worker has counts as given", () => {
  const { CLOUDFLARE_API_TOKEN: _, ...rest } = good;
  expect(decideMistakes(rest, new Set())).toEqual(["CLOUDFLARE_API_TOKEN: is missing; DNS=cloudflare needs it"]);
  expect(decideMistakes(rest, new Set(["CLOUDFLARE_API_TOKEN"]))).toEqual([]);
});

test("external accounts are numbered by the place of their directory", () => {
  const given = { ...good, ACME_DIRECTORY: "zerossl, letsencrypt google" };
  expect(externalAccountNames(given)).toEqual([
    ["zerossl", ["ACME_EAB_KID", "ACME_EAB_HMAC_KEY"]],
    ["google", ["ACME_EAB_KID_3", "ACME_EAB_HMAC_KEY_3"]],
  ]);
  expect(decideMistakes({ ...given, ACME_EAB_KID: "kid" }, new Set())).toEqual([
    "ACME_EAB_HMAC_KEY: is missing, while ACME_EAB_KID is set",
    "ACME_EAB_KID_3: is missing; google registers no account without it",
    "ACME_EAB_HMAC_KEY_3: is missing; google registers no account without it",
  ]);
  expect(externalAccountNames({ ...given, ISSUER: "local" })).toEqual([]);
});

test("one value is judged by itself", () => {
  expect(mistakeOf("ZONE", "nodes.example.com")).toBeUndefined();
  expect(mistakeOf("ISSUER", "none")).toBe('must be "local" or "acme"');
});
