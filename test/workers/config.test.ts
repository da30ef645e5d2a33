import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { readConfig } from "../../workers/config.ts";

const read = (vars: object) => readConfig({ ...env, ...vars });
const key = "ab".repeat(32);

test("relay keys are separated by commas, spaces or lines", () => {
  const other = "cd".repeat(32);
  const config = read({ RELAY_KEYS: ` ${key},\n${other} ` });
  expect(config.ok && [...config.config.relayKeys]).toEqual([key, other]);
});

test("every mistake is named", () => {
  const config = read({
    ZONE: "Not A Zone",
    RELAY_KEYS: `${key} 123`,
    LEASE_MS: "1",
    ISSUER: "acme",
    LOG_LEVEL: "loud",
  });
  expect(!config.ok && config.problems.map((problem) => String(problem.split(/[.:]/)[0])).toSorted()).toEqual([
    "ISSUER",
    "LEASE_MS",
    "LOG_LEVEL",
    "RELAY_KEYS",
    "ZONE",
  ]);
});

test.for(["localhost", "a.example.com", "postern.localhost"])("%s is a zone", (zone) => {
  expect(read({ ZONE: zone }).ok).toBe(true);
});

test.for([
  ".example.com",
  "example.com.",
  "exa_mple.com",
  "1.2.3.4",
  `${"a".repeat(64)}.com`,
  "a.".repeat(100) + "com",
])("%s is no zone", (zone) => {
  expect(read({ ZONE: zone }).ok).toBe(false);
});

test("half of a CA is a mistake", () => {
  expect(read({ LOCAL_CA_KEY: "" }).ok).toBe(false);
});

test("a value that is no key is not repeated in the message", () => {
  const config = read({ LOCAL_CA_KEY: "hunter2" });
  expect(!config.ok && config.problems.join()).not.toContain("hunter2");
});
