import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { scriptedCa } from "../support/scripted-ca.ts";
import type { CaAnswer, CaDescription, CaFailureKind } from "../../../shared/acme/ca.ts";
import { decideBindings, fetchAccountBindings } from "../../../workers/acme/account-bindings.ts";
import { readConfig } from "../../../workers/config.ts";

const known = (accountUri: string, ...caaIdentities: string[]) => ({
  ok: true as const,
  value: { directory: "https://ca.example/", accountUri, caaIdentities, renewalInfo: true },
});
const failed = (kind: CaFailureKind): CaAnswer<CaDescription> => ({ ok: false, failure: { kind, detail: "" } });
const one = "https://ca.example/account/1";
const two = "https://other.example/account/2";

test("each account may issue under its CA's name, by DNS only", () => {
  expect(
    decideBindings([known(one, "ca.example", "alias.example"), known(two, "other.example")], ["unused.example"]),
  ).toEqual([
    { ca: "ca.example", accountUri: one, methods: ["dns-01"] },
    { ca: "other.example", accountUri: two, methods: ["dns-01"] },
  ]);
});

test("a CA that gives no name has those of the settings", () => {
  expect(decideBindings([known(one), known(two, "bad name; x=y")], ["named.example"])).toMatchObject([
    { ca: "named.example", accountUri: one },
    { ca: "named.example", accountUri: two },
  ]);
});

test("a CA without any name is not shut out by records for the others", () => {
  const nameless = {
    ok: true,
    value: { directory: "https://[::1]/", accountUri: two, caaIdentities: [], renewalInfo: false },
  } as const;
  expect(decideBindings([known(one, "ca.example"), nameless], [])).toEqual([]);
});

test("a CA that refuses an account is left out, one that is away is waited for", () => {
  expect(decideBindings([failed("refused"), known(two, "other.example")], [])).toMatchObject([{ accountUri: two }]);
  expect(decideBindings([failed("unavailable"), known(two, "other.example")], [])).toBeUndefined();
});

test("every directory in use is asked, that of rehearsals too", async () => {
  const [first, staging] = ["https://first.example/", "https://staging.example/"];
  const read = readConfig({
    ...env,
    ISSUER: "acme",
    ACME_DIRECTORY: first,
    ACME_STAGING_DIRECTORY: staging,
  } as typeof env);
  if (!read.ok) throw new Error(read.problems.join());
  scriptedCa(staging).accountUri = two;
  scriptedCa(staging).failures.push({ kind: "unavailable", detail: "not yet" });
  expect(await fetchAccountBindings(env, read.config)).toBeUndefined();
  expect(await fetchAccountBindings(env, read.config)).toMatchObject([{ accountUri: one }, { accountUri: two }]);
  expect(scriptedCa(first).calls).toEqual(["describe"]);
});
