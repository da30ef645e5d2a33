import { describe, expect, it } from "vitest";
import { findMisspelt, variables } from "../../../tee-bot/settings/environment.ts";
import { nearName } from "../../../tee-bot/settings/near-name.ts";
import { readSettings, type EffectiveSettings } from "../../../tee-bot/settings/read-settings.ts";

const mistakesOf = (text: string, environment: NodeJS.ProcessEnv = {}): string[] => {
  const read = readSettings({ name: "postern.yaml", text }, environment);
  return read.ok ? [] : read.mistakes;
};
const effectiveOf = (text: string | undefined, environment: NodeJS.ProcessEnv = {}): EffectiveSettings => {
  const read = readSettings({ name: "postern.yaml", text }, environment);
  if (!read.ok) throw new Error(read.mistakes.join("\n"));
  return read.effective;
};
const inGateway = (lines: string): string => `version: 1\ngateway:\n${lines.replaceAll(/^/gm, "  ")}\n`;

describe("settings", () => {
  it("are the same without a file, with an empty one, and with one whose sections are empty", () => {
    const { settings } = effectiveOf(undefined);
    expect(settings).toMatchObject({ node: { ports: { gateway: 31_145 } }, gateway: { strategy: "prefer-local" } });
    for (const text of ["", "# nothing\n", "version: 1\nnode:\ngateway:\n  keys:\n  providers:\n  aliases:\n"])
      expect(effectiveOf(text).settings).toEqual(settings);
  });

  it("come from variables before the file, and from the file before the defaults; each tells which", () => {
    const text = "version: 1\nnode:\n  tunnel: tls\ngateway:\n  privacy: local\n  strategy: local-only\n";
    const environment = {
      POSTERN_GATEWAY_STRATEGY: "load-balance",
      POSTERN_GATEWAY_LIMITS_BODY_MIB: "1.5",
      LOG_LEVEL: "",
    };
    const effective = effectiveOf(text, environment);
    const { settings } = effective;
    expect(settings.node).toMatchObject({ tunnel: "tls", logLevel: "info" });
    expect(settings.gateway).toMatchObject({ strategy: "load-balance", privacy: "local", limits: { bodyMiB: 1.5 } });
    expect(effective.originOf(["gateway", "strategy"])).toBe("POSTERN_GATEWAY_STRATEGY");
    expect(effective.originOf(["gateway", "privacy"])).toBe("postern.yaml:5");
    expect(effective.originOf(["node", "logLevel"])).toBe("default");
  });

  it("can be given by variables of all kinds, of which no two have the same name", () => {
    const given = {
      POSTERN_GATEWAY_EMBEDDED_DEMO: "false",
      POSTERN_GATEWAY_KEYS_PUBLIC: "off",
      POSTERN_GATEWAY_PORT: "0",
    };
    const { settings } = effectiveOf(undefined, given);
    expect(settings.gateway.embedded.demo).toBe(false);
    expect(settings.gateway.keys.public).toBe("off");
    expect(settings.node.ports.gateway).toBe(0);
    expect(new Set(variables.map(({ name }) => name)).size).toBe(variables.length);
  });

  it("that are wrong in a variable are told by its name, those that are missing too", () => {
    expect(mistakesOf("", { POSTERN_GATEWAY_RETRY_TOTAL: "many", POSTERN_GATEWAY_EMBEDDED_DEMO: "yes" })).toEqual([
      "POSTERN_GATEWAY_EMBEDDED_DEMO: text cannot stand here · give true or false",
      "POSTERN_GATEWAY_RETRY_TOTAL: text cannot stand here · give a number",
    ]);
    const required = [{ path: ["node", "edge"], text: "give it" }];
    const read = readSettings({ name: "x", text: "version: 1\nnode: {alias: Bob}\n" }, {}, required);
    expect(read).toEqual({ ok: false, mistakes: ["POSTERN_EDGE: give it", "x:2:15 node.alias: Use lower case."] });
  });
});

describe("a variable that is misspelt", () => {
  it("is found by the name that it nearly has; those that are read, and others' are not", () => {
    const environment = {
      POSTERN_GATEWAY_STRATEGEY: "x",
      POSTERN_GATEWAY_PRIVACY: "local",
      POSTERN_GATEWAY_SERVICE_HOST: "10.0.0.1", // as Kubernetes has it for a service of that name
      POSTERN_ATTESTATION_REQUIERD: "true",
      POSTERN_ATTESTATION_TEE: "off",
      POSTERN_EGDE: "x",
    };
    expect(findMisspelt(environment)).toEqual([
      { name: "POSTERN_GATEWAY_STRATEGEY", meant: "POSTERN_GATEWAY_STRATEGY" },
      { name: "POSTERN_ATTESTATION_REQUIERD", meant: "POSTERN_ATTESTATION_REQUIRED" },
    ]);
  });
});

describe("mistakes in the file", () => {
  it("are told all together, in their order, each with line, column, path and what to do", () => {
    const text = `version: 1
node:
  acme-account: node
  ports: {gateway: "8080", control: 99999}
gateway:
  strategy: fast
  privacy:
  providers:
    - kind: opena
    - {kind: openai, id: a, url: nope, trust: attested}
    - 3
  aliases: {a b: 3, c: [], d: {model: x}, e: [1]}
  limits: {bodyMiB: 0, concurrent: 1.5}
nodes: 1
`;
    expect(mistakesOf(text)).toEqual([
      "postern.yaml:3:3 node.acme-account: there is no such setting · did you mean acmeAccount?",
      "postern.yaml:4:20 node.ports.gateway: text cannot stand here · give a number",
      "postern.yaml:4:37 node.ports.control: too large · give at most 65535",
      "postern.yaml:6:13 gateway.strategy: not a value it can have · give one of local-only, prefer-local, load-balance",
      "postern.yaml:7:11 gateway.privacy: it has no value · give one, or take the line away",
      "postern.yaml:9:13 gateway.providers[0].kind: not a value it can have · give one of ollama, lm-studio, openai, near-ai",
      "postern.yaml:10:34 gateway.providers[1].url: not a URL · give one such as https://api.example.com/v1",
      "postern.yaml:10:47 gateway.providers[1].trust: not a value it can have · give one of local, plain",
      "postern.yaml:11:7 gateway.providers[2]: a number cannot stand here · give a table",
      'postern.yaml:12:18 gateway.aliases["a b"]: not of a form that can stand here · give a list or a table',
      "postern.yaml:12:24 gateway.aliases.c: too short · give at least 1 of them",
      "postern.yaml:12:31 gateway.aliases.d.models: it is missing · give a list",
      "postern.yaml:12:32 gateway.aliases.d.model: there is no such setting · did you mean models?",
      "postern.yaml:12:47 gateway.aliases.e[0]: a number cannot stand here · give text",
      "postern.yaml:13:21 gateway.limits.bodyMiB: too small · give more than 0",
      "postern.yaml:13:36 gateway.limits.concurrent: a number with a fraction cannot stand here · give a whole number",
      "postern.yaml:14:1 nodes: there is no such setting · did you mean node?",
    ]);
  });

  it.each([["- a\n"], ["hello\n"], ["3\n"]])("that has no table at all are told: %j", (text) => {
    expect(mistakesOf(text)[0]).toMatch(/^postern\.yaml:1:1 .* cannot stand here · give a table$/);
  });

  it("never repeat a value, which may be a secret in the wrong place", () => {
    const secret = "sk-secret";
    const text = inGateway(`strategy: ${secret}
limits: ${secret}
providers:
  - {kind: ${secret}, id: a}
  - {kind: openai, id: "${secret} ", url: "${secret}", key: ${secret}, apiKey: ${secret}}
  - {kind: openai, id: b, url: "https://u:${secret}@host/v1?key=${secret}"}
aliases: {a: ${secret}}`);
    const mistakes = mistakesOf(text, { POSTERN_TUNNEL: secret, POSTERN_EDGE: secret, LOG_LEVEL: secret });
    expect(mistakes.length).toBeGreaterThan(10);
    expect(mistakes.join("\n")).not.toContain(secret);
    expect(mistakes.join("\n")).toContain("providers[1].key: no key stands in this file · name the variable");
  });

  it.each([
    [
      "providers:\n- {kind: openai, id: a, url: http://x}\n- {kind: near-ai, id: a}",
      "providers[1].id: another provider is called a",
    ],
    ["providers:\n- {kind: near-ai}\n- {kind: near-ai}", "providers[1].id: another provider is called near"],
    ["providers:\n- {kind: openai, id: ollama, url: http://x}", "ollama is the name of what the node finds"],
    ["providers:\n- {kind: openai, id: a, url: ftp://x}", "only http:// and https://"],
    ["providers:\n- {kind: openai, id: a, url: 'http://u:p@x'}", "providers[0].url: it has a password in it"],
    ["providers:\n- {kind: openai, id: a, url: 'http://x?a'}", "a query or a fragment"],
    ["providers:\n- {kind: near-ai, keyEnv: A, keyFile: b}", "providers[0].keyFile: its key is given twice"],
    [
      "providers:\n- {kind: openai, id: a, url: http://x}\naliases: {a/x: [y]}",
      'aliases["a/x"]: it hides what the provider a has',
    ],
    ["aliases: {ollama: [y]}", "aliases.ollama: it hides"],
    ["aliases: {a: [b], b: [c, d], d: {models: [a]}}", "aliases.a: it leads back to itself"],
    ["embedded: {models: [{path: a/m.gguf}, {path: b/m.gguf}]}", "models[1]: another model is called m"],
    ["retry: {perProvider: 3, total: 2}", "retry.perProvider: one provider may be tried more often"],
  ])("between settings that are each good are told: %j", (lines, mistake) => {
    expect(mistakesOf(inGateway(lines)).join("\n")).toContain(mistake);
  });

  it("between who takes messages in, and where, are told", () => {
    const receive = (by: string): string => `version: 1\nsignal: {receive: {by: ${by}, public: true}}\n`;
    expect(mistakesOf(receive("own-process")).join("\n")).toContain("signal.receive.public: with by: own-process");
    expect(mistakesOf(receive("node"))).toEqual([]);
  });

  it("do not come from settings that only look alike", () => {
    const good = `providers:
- {kind: ollama, id: ollama, url: http://127.0.0.1:11434}
- {kind: openai, id: a, url: http://x, keyEnv: A}
aliases: {fast: [slow, a/x], slow: [x], ax: [fast], "org/x": [y]}
embedded: {models: [{path: a/m.gguf}, {path: b/m.gguf, id: n}]}`;
    expect(mistakesOf(inGateway(good))).toEqual([]);
  });
});

describe("a near name", () => {
  it("is one that a slip of the finger leads to, and none for a word that is another", () => {
    expect(nearName("idleSecond", ["idleSeconds", "connectSeconds"])).toBe("idleSeconds");
    expect(nearName("lm_studio", ["ollama", "lmStudio"])).toBe("lmStudio");
    expect(nearName("temperature", ["total", "waitSeconds"])).toBeUndefined();
    expect(nearName("x".repeat(10_000), ["x"])).toBeUndefined();
  });
});
