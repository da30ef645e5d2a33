import { describe, expect, it } from "vitest";
import { parseOllamaHost } from "../../../../tee-bot/gateway/providers/ollama-host.ts";

describe("OLLAMA_HOST", () => {
  it.each([
    [undefined, "http://127.0.0.1:11434"],
    ["", "http://127.0.0.1:11434"],
    ['"10.0.0.1"', "http://10.0.0.1:11434"],
    ["0.0.0.0", "http://127.0.0.1:11434"],
    ["0.0.0.0:5000", "http://127.0.0.1:5000"],
    [":5000", "http://127.0.0.1:5000"],
    ["::", "http://[::1]:11434"],
    ["[::]:5000", "http://[::1]:5000"],
    ["::1", "http://[::1]:11434"],
    ["box.local", "http://box.local:11434"],
    ["http://box.local", "http://box.local"],
    ["https://box.local/", "https://box.local"],
    ["http://box.local:1234/", "http://box.local:1234"],
    ["not a host", "http://127.0.0.1:11434"],
  ])("%s is the server %s", (value, server) => {
    expect(parseOllamaHost(value)).toBe(server);
  });
});
