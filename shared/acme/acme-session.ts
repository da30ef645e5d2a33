import { openAcmeLibrary, type AcmeLibrary } from "./acme-library.ts";
import type { Directory, DirectoryCache } from "./directory.ts";
import { unavailable } from "./failure.ts";
import { createFetchAdapter } from "./fetch-adapter.ts";
import type { NoncePool } from "./nonces.ts";
import type { Clock } from "../clock.ts";

export interface SessionOptions {
  readonly directory: string;
  readonly accountKey: string;
  readonly accountUri: string | undefined;
  readonly externalAccount: { readonly kid: string; readonly hmacKey: string } | undefined;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly userAgent: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Kept from session to session. */
  readonly nonces: NoncePool;
  readonly directories: DirectoryCache;
}

/** What one call to the CA has at hand. */
export interface Session {
  readonly library: AcmeLibrary;
  readonly directory: Directory;
}

/** Opens a session: one call with one deadline. Throws `CaError`, now as well as when it is used. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { nonces, directories } = options;
  const adapter = createFetchAdapter({ ...options, askedFor: (url) => directories.askedFor(url, options.directory) });
  const getDirectory = (): Promise<Directory> =>
    directories.read(async () => (await library.request(options.directory, "get")).data);
  const library: AcmeLibrary = await openAcmeLibrary({
    directoryUrl: options.directory,
    accountKey: options.accountKey,
    accountUrl: options.accountUri,
    externalAccount: options.externalAccount,
    adapter,
    getDirectory,
    // RFC 8555 §7.2: each answer brings the nonce for another request, so one is asked for only when none is left.
    async getNonce() {
      const kept = nonces.take();
      if (kept !== undefined) return kept;
      await library.request((await getDirectory()).newNonce, "head");
      const nonce = nonces.take();
      if (nonce === undefined) throw unavailable("The CA gave no nonce.");
      return nonce;
    },
  });
  return { library, directory: await getDirectory() };
}
