import { describe, expect, it } from "vitest";
import { parseBaseUrl } from "../../../../tee-bot/gateway/providers/base-url.ts";

describe("the URL of a provider", () => {
  it.each([
    ["https://api.example.com/v1", { origin: "https://api.example.com", path: "/v1" }],
    ["https://api.example.com/openai/v1///", { origin: "https://api.example.com", path: "/openai/v1" }],
    ["http://127.0.0.1:8080", { origin: "http://127.0.0.1:8080", path: "" }],
  ])("%s is where it is called", (text, url) => {
    expect(parseBaseUrl(text)).toEqual(url);
  });

  it.each([
    ["ftp://files.test/v1", "http"],
    ["nowhere", "http"],
    ["https://user:secret@api.test/v1", "keyEnv"],
    ["https://api.test/v1?api-version=7", "query"],
    ["https://api.test/v1#x", "query"],
  ])("%s is refused, and why is said without a password", (text, why) => {
    expect(() => parseBaseUrl(text)).toThrow(why);
    expect(() => parseBaseUrl(text)).not.toThrow("secret");
  });
});
