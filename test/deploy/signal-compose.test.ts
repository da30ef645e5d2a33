/** The deployment of the bot against the rules that it follows. That Docker runs it so is not tried here: there is none. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { envSettings, secretName } from "../../scripts/signal/settings.ts";
import { hookUrl } from "../../tee-bot/bot/receive/credential.ts";
import { Sensitive } from "../../shared/sensitive.ts";
import { findMisspelt, variables } from "../../tee-bot/settings/environment.ts";
import { root } from "../support/postern.ts";

interface Service {
  image: string;
  command?: string[];
  environment?: Record<string, string>;
  ports?: unknown;
  tmpfs?: string[];
  volumes?: string[];
  networks?: string[];
  logging?: { driver: string };
  read_only?: boolean;
  cap_drop?: string[];
}

const path = join(root, "deploy/signal/compose.yaml");
const text = readFileSync(path, "utf8");
const { services, networks, secrets } = parse(text, { merge: true }) as {
  services: Record<"node" | "receiver" | "signal-api" | "redis", Service>;
  networks: Record<string, { internal?: boolean }>;
  secrets: Record<string, { environment: string }>;
};
const { node, receiver, redis, "signal-api": rest } = services;

describe("the deployment of the bot", () => {
  it("publishes no port: visitors come through the node's tunnel", () => {
    for (const service of Object.values(services)) expect(service.ports).toBeUndefined();
  });

  it("takes images only as the operator has named them, and setup-signal wants a digest of each", () => {
    const wanted = Object.values(services).map(({ image }) => /^\$\{(\w+):\?/.exec(image)?.[1]);
    expect(new Set(wanted)).toEqual(new Set(["POSTERN_IMAGE", "SIGNAL_API_IMAGE", "REDIS_IMAGE"]));
    for (const { name, mistakeIn } of envSettings.filter((one) => wanted.includes(one.name)))
      expect(mistakeIn("redis:8"), name).toContain("digest");
  });

  it("has variables that setup-signal writes, and settings that the node knows", () => {
    const used = new Set([...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name));
    expect(used).toEqual(new Set([...envSettings.map(({ name }) => name), secretName]));
    const known = new Set(variables.map(({ name }) => name));
    for (const { environment = {} } of [node, receiver]) {
      expect(findMisspelt(environment)).toEqual([]);
      for (const name of Object.keys(environment)) if (name.startsWith("POSTERN_")) expect(known).toContain(name);
    }
  });

  it("keeps decrypted messages of the REST server in memory, and its log without them", () => {
    expect(rest.environment).toMatchObject({ MODE: "json-rpc", JSON_RPC_TRUST_NEW_IDENTITIES: "on-first-use" });
    expect(["debug", "trace", "info"]).not.toContain(rest.environment?.["LOG_LEVEL"]);
    for (const what of ["STORIES", "AVATARS", "STICKERS"])
      expect(rest.environment?.[`JSON_RPC_IGNORE_${what}`]).toBe("true");
    const inMemory = rest.tmpfs?.map((one) => one.split(":")[0]);
    expect(inMemory).toEqual(["/var/log", "/tmp", "/home/.local/share/signal-cli/attachments"]);
    for (const one of rest.tmpfs ?? []) expect(one).toMatch(/size=\d+m/);
    expect(rest.logging?.driver).toBe("none");
  });

  it("has room in memory for all that the REST server's supervisor keeps: 11 files of 50 MB", () => {
    const [, size] = /^\/var\/log:size=(\d+)m/.exec(rest.tmpfs?.[0] ?? "") ?? [];
    expect(Number(size)).toBeGreaterThan(11 * 50);
  });

  it("posts messages to the receiver with its password, at the address where that listens", () => {
    const given = rest.environment?.["RECEIVE_WEBHOOK_URL"]?.replace(/\$\{SIGNAL_HOOK_SECRET:[^}]*\}/, "secret");
    const port = receiver.environment?.["POSTERN_SIGNAL_RECEIVE_PORT"];
    expect(given).toBe(hookUrl(new Sensitive("secret"), new URL(`http://receiver:${port}`)).reveal());
    expect(receiver.environment?.["POSTERN_SIGNAL_RECEIVE_HOST"]).toBe("0.0.0.0");
    expect(receiver.command).toEqual(["signal", "receive"]);
    expect(secrets["signal-hook"]?.environment).toBe(secretName);
  });

  it("takes messages in while the node is away: both know the same mailbox, key and password", () => {
    expect(receiver.volumes).toEqual(node.volumes);
    const { REDIS_URL: _, ...shared } = node.environment ?? {};
    expect(receiver.environment).toEqual(shared);
    expect(node.environment?.["POSTERN_SIGNAL_RECEIVE_BY"]).toBe("own-process");
  });

  it("has a Redis that writes nothing to a disk and drops what expires first", () => {
    const command = redis.command?.join(" ") ?? "";
    expect(command).toContain("--save  --appendonly no");
    expect(command).toMatch(/--maxmemory \d+mb --maxmemory-policy volatile-ttl/);
    expect(redis.volumes).toBeUndefined();
  });

  it("lets nobody but its neighbours reach Redis and the REST server", () => {
    expect(networks["store"]?.internal).toBe(true);
    expect(networks["signal"]?.internal).toBe(true);
    expect(redis.networks).toEqual(["store"]);
    expect(receiver.networks).toEqual(["signal"]);
    expect(rest.networks).not.toContain("store");
  });

  it("gives our own processes no more than they need", () => {
    for (const service of [node, receiver, redis]) {
      expect(service.read_only).toBe(true);
      expect(service.cap_drop).toEqual(["ALL"]);
    }
  });
});
