import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { readConfig, type Config, type Secrets } from "../../workers/config.ts";

const key = "ab".repeat(32);
const day = 86_400_000;

test("relay keys are separated by commas, spaces or lines", () => {
  const other = "cd".repeat(32);
  expect([...configOf({ RELAY_KEYS: ` ${key},\n${other} ` }).relayKeys]).toEqual([key, other]);
});

test("every mistake is named, those of variables that need one another too", () => {
  const problems = problemsOf({
    ZONE: "Not A Zone",
    RELAY_KEYS: `${key} 123`,
    RELAY_ADDRESSES: "relay.example.com",
    LEASE_MS: "1",
    ISSUER: "somebody",
    LOG_LEVEL: "loud",
    ACME_DIRECTORY: "lets-encrypt",
    ACME_STAGING_DIRECTORY: "http://staging.example.com/",
    ACME_CONTACT: "nobody",
    ACME_LIMITS: "certificates=many",
    ACME_TRUST: "some",
    ACME_ROOTS: "root",
    ACME_CAA: "Encrypt",
    ACME_EAB_KID_2: "kid",
    CA_CERTIFICATE: "",
    CLOUDFLARE_API: "cloudflare.com",
    DNS: "cloudflare",
    DNS_AUTHORITIES: "ns1.example.com",
    DOH: "http://dns.example.com/dns-query",
  });
  expect(problems.map((problem) => String(problem.split(/[.:]/)[0])).toSorted()).toEqual([
    "ACME_CAA",
    "ACME_CONTACT",
    "ACME_DIRECTORY",
    "ACME_EAB_HMAC_KEY_2",
    "ACME_LIMITS",
    "ACME_ROOTS",
    "ACME_STAGING_DIRECTORY",
    "ACME_TRUST",
    "CA_CERTIFICATE",
    "CLOUDFLARE_API",
    "CLOUDFLARE_API_TOKEN",
    "DNS_AUTHORITIES",
    "DOH",
    "ISSUER",
    "LEASE_MS",
    "LOG_LEVEL",
    "RELAY_ADDRESSES",
    "RELAY_KEYS",
    "ZONE",
    "ZONE_ID",
  ]);
});

test.for(["localhost", "a.example.com", "postern.localhost"])("%s is a zone", (zone) => {
  expect(configOf({ ZONE: zone }).zone).toBe(zone);
});

test.for([
  ".example.com",
  "example.com.",
  "exa_mple.com",
  "1.2.3.4",
  `${"a".repeat(64)}.com`,
  "a.".repeat(100) + "com",
])("%s is no zone", (zone) => {
  expect(problemsOf({ ZONE: zone })).toHaveLength(1);
});

test("half of a CA is a mistake, told by the half that is missing", () => {
  expect(problemsOf({ CA_KEY: "" })).toEqual([expect.stringMatching(/^CA_KEY: /)]);
});

test.for(["CA_KEY", "CA_CERTIFICATE", "ACME_EAB_HMAC_KEY", "ACME_EAB_KID", "CLOUDFLARE_API_TOKEN"])(
  "a value that cannot be the secret %s is not repeated in the message",
  (name) => {
    expect(problemsOf({ [name]: "hunter 2" }).join()).toMatch(new RegExp(`^${name}: is no (?!.*hunter)`));
  },
);

test("a zone with ACME has Let's Encrypt, its limits and its staging directory unless told otherwise", () => {
  const { issuer, acme, dns, resolvers } = configOf(real);
  expect(issuer).toBe("acme");
  expect(acme).toMatchObject({
    directories: [{ name: "letsencrypt", url: "https://acme-v02.api.letsencrypt.org/directory" }],
    staging: { name: "letsencrypt-staging", url: "https://acme-staging-v02.api.letsencrypt.org/directory" },
    limits: {
      certificates: { count: 50, windowMs: 7 * day },
      duplicates: { count: 5, windowMs: 7 * day },
      orders: { count: 300, windowMs: day / 8 },
    },
    trust: "public",
    roots: [],
    rehearsalMs: 7 * day,
  });
  expect(dns).toMatchObject({ provider: "cloudflare", zoneId: "0123abcd", retentionMs: 30 * day });
  expect(dns.api).toBe("https://api.cloudflare.com/client/v4");
  expect(resolvers).toHaveLength(2);
});

test("directories are names and URLs in the order of preference, each with its own external account", () => {
  const url = "https://ca.example.com/acme/directory";
  const { config, secrets } = settingsOf({
    ...real,
    ACME_DIRECTORY: `zerossl, ${url}`,
    ACME_EAB_KID_2: "second",
    ACME_EAB_HMAC_KEY_2: `${"k".repeat(43)}\n`,
  });
  expect(config.acme.directories).toEqual([
    { name: "zerossl", url: "https://acme.zerossl.com/v2/DV90" },
    { name: "ca.example.com", url },
  ]);
  expect(config.acme.staging).toBeUndefined();
  expect([...secrets.externalAccounts]).toEqual([[url, { kid: "second", hmacKey: "k".repeat(43) }]]);
});

test("a directory that is named twice, or a fifth one, is a mistake", () => {
  expect(problemsOf({ ACME_DIRECTORY: "zerossl,zerossl" })).toEqual(["ACME_DIRECTORY: a directory is named twice"]);
  const five = [1, 2, 3, 4, 5].map((nth) => `https://ca${nth}.example.com/`).join();
  expect(problemsOf({ ACME_DIRECTORY: five })).toEqual(["ACME_DIRECTORY: at most 4 directories"]);
});

test.for(["http://localhost:14000/dir", "http://127.0.0.1:14000/dir", "http://[::1]/dir", "https://10.0.0.1/dir"])(
  "%s is a directory",
  (url) => {
    expect(configOf({ ...real, ACME_DIRECTORY: url }).acme.directories[0]?.url).toBe(url);
  },
);

test.for(["http://example.com/dir", "http://127.0.0.1.example.com/", "ftp://localhost/", "https://me:secret@ca.test/"])(
  "%s is no directory, and is not fetched",
  (url) => {
    expect(problemsOf({ ...real, ACME_DIRECTORY: url })).toEqual([expect.stringMatching(/^ACME_DIRECTORY\.0: /)]);
  },
);

test("rehearsals can be turned off, or made elsewhere", () => {
  expect(configOf({ ...real, ACME_STAGING_DIRECTORY: "off" }).acme.staging).toBeUndefined();
  expect(configOf({ ...real, ACME_STAGING_DIRECTORY: "google-staging" }).acme.staging?.name).toBe("google-staging");
});

test("a local issuer uses no directory, whatever is set", () => {
  const { directories, staging } = configOf({ ...real, ISSUER: "local" }).acme;
  expect([directories, staging]).toEqual([[], undefined]);
});

test("several roots are told apart", () => {
  const root = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----`;
  expect(configOf({ ACME_ROOTS: `${root("MII1")}\n${root("MII2")}\n` }).acme.roots).toEqual([
    root("MII1"),
    root("MII2"),
  ]);
});

test("an edge that will fail one day is told why today", () => {
  const warned = (vars: object): string => {
    const read = readConfig({ ...env, ...real, ...vars });
    return read.ok ? read.warnings.join("\n") : "";
  };
  expect(warned({})).toBe("");
  expect(warned({ DNS: "memory" })).toContain("DNS=memory");
  expect(warned({ DOH: "https://dns.example.com/dns-query" })).toContain("one resolver");
  expect(warned({ ACME_DIRECTORY: "letsencrypt,zerossl" })).toContain("zerossl registers no account");
  expect(warned({ RELAY_KEYS: "" })).toContain("no relay is let in");
});

test("a config can be printed: no secret is in it", () => {
  const token = "token-that-nobody-may-see";
  const { config, secrets } = settingsOf({ ...real, CLOUDFLARE_API_TOKEN: token });
  expect(secrets.cloudflareApiToken).toBe(token);
  expect(JSON.stringify(config)).not.toMatch(/token-that|PRIVATE KEY/);
});

const real = { ISSUER: "acme", DNS: "cloudflare", ZONE_ID: "0123abcd", CLOUDFLARE_API_TOKEN: "token" };

function settingsOf(vars: object): { config: Config; secrets: Secrets } {
  const read = readConfig({ ...env, ...vars });
  if (!read.ok) throw new Error(read.problems.join("\n"));
  return read;
}

function configOf(vars: object): Config {
  return settingsOf(vars).config;
}

function problemsOf(vars: object): readonly string[] {
  const read = readConfig({ ...env, ...vars });
  return read.ok ? [] : read.problems;
}
