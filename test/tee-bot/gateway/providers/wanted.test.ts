import { describe, expect, it } from "vitest";
import { decideWanted } from "../../../../tee-bot/gateway/providers/wanted.ts";
import { gatewaySettingsSchema } from "../../../../tee-bot/gateway/settings.ts";

const wanted = (settings: object = {}, env: Record<string, string> = {}) =>
  decideWanted(gatewaySettingsSchema.parse(settings), env);
const ids = (settings?: object, env?: Record<string, string>): string[] => wanted(settings, env).map(({ id }) => id);

describe("the providers of a node", () => {
  it("are without any settings the embedded one and those found on this machine", () => {
    expect(wanted()).toMatchObject([
      { id: "embedded", kind: "embedded" },
      { id: "ollama", kind: "ollama", url: "http://127.0.0.1:11434", discovered: true },
      { id: "lm-studio", kind: "lm-studio", url: "http://127.0.0.1:1234", discovered: true },
    ]);
  });

  it("are not looked for where that is off, and nothing is embedded without a model", () => {
    expect(ids({ discovery: { ollama: "off", lmStudio: "off" }, embedded: { demo: false } })).toEqual([]);
  });

  it("have an Ollama where OLLAMA_HOST says", () => {
    expect(wanted({}, { OLLAMA_HOST: "0.0.0.0:5000" })).toMatchObject([{}, { url: "http://127.0.0.1:5000" }, {}]);
  });

  it.each(["http://127.0.0.1:11434", "http://localhost:11434/v1", "http://[::1]:11434/"])(
    "have the Ollama at %s once, as it is configured",
    (url) => {
      expect(ids({ providers: [{ kind: "ollama", id: "mine", url }] })).toEqual(["embedded", "mine", "lm-studio"]);
      expect(ids({ providers: [{ kind: "openai", id: "mine", url }] })).toEqual(["embedded", "mine", "lm-studio"]);
    },
  );

  it("have the name of a discovered one for another, if the settings want it so", () => {
    const url = "http://192.168.1.5:11434";
    const [, named, ...others] = wanted({ providers: [{ kind: "ollama", id: "ollama", url }] });
    expect(named).toMatchObject({ id: "ollama", url });
    expect(others.map(({ id }) => id)).toEqual(["lm-studio"]);
  });

  it("have each name once", () => {
    const openai = { kind: "openai", id: "api", url: "https://a.test/v1" };
    const settings = { providers: [openai, { ...openai, url: "https://b.test/v1" }], embedded: { demo: false } };
    expect(wanted(settings).filter(({ id }) => id === "api")).toMatchObject([{ url: "https://a.test/v1" }]);
  });
});
