import { Client, axios as acmeAxios, crypto as acmeCrypto } from "acme-client";
import { afterEach, expect, test } from "vitest";
import * as whole from "../../../node_modules/axios/index.js";
import { AxiosError, create, type Answer, type Config } from "../../../workers/bundle/axios.ts";

const url = "https://ca.example/new-order";
const answer = { status: 200, statusText: "OK", headers: {}, request: null };

/** What the adapter sees of a request, and what its sender gets. */
async function exchange(made: unknown, request: Config, text: string): Promise<unknown> {
  const instance = made as ReturnType<typeof create>;
  const seen: unknown[] = [];
  instance.defaults.headers.common["User-Agent"] = "test";
  instance.defaults.adapter = (config: Config) => {
    const headers = Object.fromEntries(Object.entries(config.headers ?? {}).filter(([, value]) => value !== undefined));
    seen.push({ url: config.url, method: config.method, data: config.data, headers });
    return Promise.resolve({ ...answer, data: text, config });
  };
  const { data, status } = await instance.request(request);
  return { seen, data, status };
}

test.for<[string, Config, string]>([
  ["an object", { url, method: "post", data: { a: 1 }, headers: { "Content-Type": "application/jose+json" } }, "{}"],
  ["no body", { url, method: "head", headers: { "Content-Type": "application/jose+json" } }, ""],
  ["an answer in JSON", { url, method: "get" }, '{"type": "urn:x", "list": [1, null]}'],
  ["an answer in PEM", { url, method: "get" }, "-----BEGIN CERTIFICATE-----\nAA==\n"],
  ["an answer cut short", { url, method: "get" }, '{"type": "urn'],
])("the bundle's axios sends and reads %s as axios does", async ([, request, text]) => {
  expect(await exchange(create(), { ...request }, text)).toEqual(await exchange(whole.create(), { ...request }, text));
});

test("a failed request can be sent again by what looks at failures, as acme-client's retries do", async () => {
  const instance = create();
  let attempts = 0;
  instance.defaults.adapter = (config: Config): Promise<Answer> => {
    attempts += 1;
    return attempts < 3
      ? Promise.reject(Object.assign(new Error("lost"), { config }))
      : Promise.resolve({ ...answer, data: '{"ok": true}', config });
  };
  instance.interceptors.response.use(null, (error) => instance((error as { config: Config }).config));
  expect((await instance.request({ url, method: "post", data: { a: 1 } })).data).toEqual({ ok: true });
  expect(attempts).toBe(3);
});

test("an adapter that is not a function is refused, since there is no other way to send", async () => {
  const instance = create();
  instance.defaults.adapter = "http";
  await expect(instance.request({ url })).rejects.toThrow("by an adapter that is a function");
});

test("the error of a refused answer holds the answer", () => {
  const response = { ...answer, data: "", config: {} };
  const error = new AxiosError("refused", AxiosError.ERR_BAD_REQUEST, {}, null, response);
  expect(error).toMatchObject({ name: "AxiosError", code: whole.AxiosError.ERR_BAD_REQUEST, response });
  expect(AxiosError.ERR_BAD_RESPONSE).toBe(whole.AxiosError.ERR_BAD_RESPONSE);
});

const adapterBefore = acmeAxios.defaults.adapter;
afterEach(() => void Object.assign(acmeAxios.defaults, { adapter: adapterBefore }));

test("acme-client speaks through it, and hears the adapter's own errors unchanged", async () => {
  const lost = new TypeError("no such host");
  Object.assign(acmeAxios.defaults, {
    adapter: (config: Config) =>
      config.url === "https://ca.example/directory"
        ? Promise.resolve({
            ...answer,
            data: JSON.stringify({ meta: { termsOfService: "https://ca.example/terms" } }),
            config,
          })
        : Promise.reject(lost),
  });
  const accountKey = await acmeCrypto.createPrivateEcdsaKey("P-256");
  const at = (directoryUrl: string): Client => new Client({ directoryUrl, accountKey });
  expect(await at("https://ca.example/directory").getTermsOfServiceUrl()).toBe("https://ca.example/terms");
  await expect(at("https://elsewhere.example/").getTermsOfServiceUrl()).rejects.toBe(lost);
});
