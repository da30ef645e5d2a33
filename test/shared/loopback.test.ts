import { expect, it } from "vitest";
import { isLoopbackUrl } from "../../shared/loopback.ts";

it.each([
  "http://127.0.0.1:53/dns-query",
  "http://localhost",
  "https://127.9.9.9",
  "http://[::1]:1/",
  "http://LOCALHOST/",
])("%s is on this machine", (url) => expect(isLoopbackUrl(new URL(url))).toBe(true));

it.each([
  "https://127.0.0.1.example",
  "https://localhost.example",
  "http://[::2]/",
  "http://10.0.0.1/",
  "https://1.1.1.1/",
])("%s is elsewhere", (url) => expect(isLoopbackUrl(new URL(url))).toBe(false));
