/**
 * acme-client 5.4.0 as far as it is used: it signs requests, binds external accounts, answers challenges, tries again
 * with another nonce, and finds the preferred chain. Its types leave out the parts that tell an answer's headers, so
 * they stand here. Loaded when first needed: it costs a Worker's start 60 ms.
 */
import type { AdapterAnswer, AdapterRequest } from "./fetch-adapter.ts";
import type { ChallengeMethod } from "./ca.ts";

export interface AcmeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly data: unknown;
}

/** The requests of RFC 8555, signed. */
export interface AcmeApi {
  accountUrl: string | null;
  /** §7.3; leaves {@link accountUrl} set. */
  createAccount(data: object): Promise<AcmeAnswer>;
  createOrder(data: object): Promise<AcmeAnswer>;
  getOrder(url: string): Promise<AcmeAnswer>;
  getAuthorization(url: string): Promise<AcmeAnswer>;
  completeChallenge(url: string, data: object): Promise<AcmeAnswer>;
  finalizeOrder(url: string, data: { csr: string }): Promise<AcmeAnswer>;
}

export interface AcmeLibrary {
  readonly api: AcmeApi;
  /** An unsigned request. */
  request(url: string, method: "get" | "head"): Promise<AcmeAnswer>;
  getCertificate(order: { status: "valid"; certificate: string }, preferredChain?: string): Promise<unknown>;
  getChallengeKeyAuthorization(challenge: { type: ChallengeMethod; token: string }): Promise<string>;
}

export interface LibraryOptions {
  readonly directoryUrl: string;
  /** PEM. */
  readonly accountKey: string;
  readonly accountUrl: string | undefined;
  readonly externalAccount: { readonly kid: string; readonly hmacKey: string } | undefined;
  readonly adapter: (request: AdapterRequest) => Promise<AdapterAnswer>;
  /** Instead of the library's own, which keep what is no directory, and ask for a nonce before each request. */
  readonly getDirectory: () => Promise<object>;
  readonly getNonce: () => Promise<string>;
}

interface Http {
  request(url: string, method: string, options?: object): Promise<AcmeAnswer>;
  getDirectory(): Promise<object>;
  getNonce(): Promise<string>;
}
type Client = Omit<AcmeLibrary, "request"> & { readonly http: Http };
type Module = { Client: new (options: object) => Client };

export async function openAcmeLibrary(options: LibraryOptions): Promise<AcmeLibrary> {
  const { Client } = (await import("acme-client")) as unknown as Module;
  const { directoryUrl, accountKey, accountUrl, externalAccount, adapter, getDirectory, getNonce } = options;
  const client = new Client({
    directoryUrl,
    accountKey,
    accountUrl: accountUrl ?? null,
    externalAccountBinding: externalAccount ?? {},
  });
  const request = client.http.request.bind(client.http);
  Object.assign(client.http, {
    request: (url: string, method: string, given: object = {}) => request(url, method, { ...given, adapter }),
    getDirectory,
    getNonce,
  });
  return Object.assign(client, { request: (url: string, method: "get" | "head") => client.http.request(url, method) });
}
