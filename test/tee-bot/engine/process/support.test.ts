import { describe, expect, it } from "vitest";
import { findObstacle } from "../../../../tee-bot/engine/process/support.ts";

describe("the support for models of this installation", () => {
  it("is there where the package and its build for this platform are", () => {
    expect(findObstacle()).toBeUndefined();
  });

  it("is missing without the package, and without a build for the platform, with what to do", () => {
    expect(findObstacle(() => false)).toContain("npm ci");
    expect(findObstacle((name) => name === "node-llama-cpp")).toContain(`${process.platform}-${process.arch}`);
  });
});
