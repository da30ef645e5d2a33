import { describe, expect, it } from "vitest";
import { setSetting } from "../../../tee-bot/settings/edit.ts";

const text = `# my settings

version: 1
gateway:
  # how
  strategy: "local-only" # for now
  providers:
  - {kind: near-ai, id: near} # the cloud
  keys:
  limits: {bodyMiB: 1}

# the end
`;

describe("setting one setting", () => {
  it("keeps comments, order and layout; only that line is another", () => {
    expect(setSetting(text, ["gateway", "strategy"], "load-balance")).toBe(text.replace("local-only", "load-balance"));
    expect(setSetting(text, ["gateway", "limits", "bodyMiB"], 2)).toBe(text.replace("bodyMiB: 1", "bodyMiB: 2"));
    expect(setSetting(text, ["gateway", "providers", 0, "id"], "far")).toBe(text.replace("id: near", "id: far"));
  });

  it("adds what is not there, also below a name without a value", () => {
    expect(setSetting(text, ["gateway", "keys", "public"], "off")).toContain("  keys:\n    public: off\n");
    expect(setSetting(text, ["node", "alias"], "bob")).toContain("\nnode:\n  alias: bob\n");
  });

  it("makes a new file with its version", () => {
    expect(setSetting("", ["gateway", "aliases", "gpt-4.1"], ["a", "b"])).toBe(
      "version: 1\ngateway:\n  aliases:\n    gpt-4.1:\n      - a\n      - b\n",
    );
    expect(setSetting("# only this\n", ["node", "alias"], "bob")).toContain("# only this");
  });

  it("keeps other ways to lay a file out", () => {
    const wide = "version: 1\ngateway:\n    aliases:\n        a: [ b, c ]\n    privacy: any\n";
    expect(setSetting(wide, ["gateway", "privacy"], "local")).toBe(wide.replace("any", "local"));
  });

  it("refuses a place that cannot be", () => {
    expect(() => setSetting(text, ["gateway", "strategy", "deeper"], 1)).toThrow(/Nothing can be set at/);
  });
});
