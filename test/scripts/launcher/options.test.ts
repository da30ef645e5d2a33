import { describe, expect, it } from "vitest";
import { parseLaunchOptions, usage, UsageError } from "../../../scripts/launcher/options.ts";

const parse = (...args: string[]) => parseLaunchOptions(args, "/home/me/postern");

describe("the launcher's options", () => {
  it("have defaults for everything", () => {
    expect(parse()).toEqual({
      json: false,
      state: "/home/me/postern/.postern",
      port: undefined,
      edgePort: undefined,
      expose: undefined,
    });
  });

  it("are read as they are given, a state relative to where one is", () => {
    const args = [
      "--json",
      "--state",
      "mine",
      "--port",
      "443",
      "--edge-port=8080",
      "--expose",
      "http://127.0.0.1:3000",
    ];
    expect(parse(...args)).toEqual({
      json: true,
      state: "/home/me/postern/mine",
      port: 443,
      edgePort: 8080,
      expose: "http://127.0.0.1:3000",
    });
    expect(parse("--state", "/elsewhere")?.state).toBe("/elsewhere");
  });

  it.each(["--help", "-h"])("%s asks for the usage, which names every flag", (flag) => {
    expect(parse(flag, "--json")).toBeUndefined();
    for (const name of ["--json", "--state", "--port", "--edge-port", "--expose"]) expect(usage).toContain(name);
  });

  it.each([
    ["--port", "0"],
    ["--port", "65536"],
    ["--port", "80a"],
    ["--port", ""],
    ["--edge-port", "1e3"],
    ["--port=-1"],
  ])("%s %s is refused with the flag's name", (...args) => {
    expect(() => parse(...args)).toThrow(UsageError);
    expect(() => parse(...args)).toThrow(args[0]?.split("=")[0]);
  });

  it.each([["--nope"], ["extra"], ["--state"], ["--json=yes"]])("%s is refused", (...args) => {
    expect(() => parse(...args)).toThrow(UsageError);
  });
});
