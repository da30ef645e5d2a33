/** Everything a certificate needs, on loopback: a CA, a zone with its name server, Cloudflare's API, two resolvers. */
import { universalSslOverride } from "../dns/universal-ssl.ts";
import { startCloudflareApi, type CloudflareApi } from "../dns/cloudflare-api.ts";
import { startDohResolver, type DohResolver } from "../dns/doh-resolver.ts";
import { parseCaa, type CaaData } from "../dns/record-content.ts";
import type { Lag, Override } from "../dns/sight.ts";
import { startZoneServer, type ZoneServer } from "../dns/zone-server.ts";
import { ZoneStore } from "../dns/zone-store.ts";
import { startAcmeProxy, type AcmeProxy } from "./acme-proxy.ts";
import { startPebble, type Pebble, type PebbleOptions } from "./pebble.ts";

export interface CertificateWorldOptions {
  zone?: string;
  pebble?: Omit<PebbleOptions, "dnsServer">;
  /** How far behind each resolver is: two that are not, unless said. */
  lags?: readonly Lag[];
  /** By which the CA goes in CAA records, which it then obeys; none leaves it as Pebble is. */
  caaIdentities?: readonly string[];
}

export interface CertificateWorld extends AsyncDisposable {
  readonly zone: string;
  readonly zoneId: string;
  readonly token: string;
  /** Base URL of Cloudflare's API, ending in `/client/v4`. */
  readonly cloudflareApi: string;
  readonly api: CloudflareApi;
  readonly store: ZoneStore;
  readonly zoneServer: ZoneServer;
  readonly doh: readonly DohResolver[];
  readonly pebble: Pebble;
  readonly proxy: AcmeProxy;
  /** The CA's directory, through the proxy. */
  readonly directory: string;
  /** PEM file, and its text, of the CA under which the directory is reached. */
  readonly acmeCaPath: string;
  readonly acmeCa: string;
  /** What `npm start` is given to use all this. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The same as settings of an edge of one's own; its process needs `NODE_EXTRA_CA_CERTS=acmeCaPath` besides. */
  readonly edgeSettings: Readonly<Record<string, string>>;
}

export async function startCertificateWorld({
  zone = "nodes.example.test",
  pebble: pebbleOptions = {},
  lags = [0, 0],
  caaIdentities = ["ca.example.test"],
}: CertificateWorldOptions = {}): Promise<CertificateWorld> {
  await using stack = new AsyncDisposableStack();
  const store = new ZoneStore(zone);
  const zoneServer = stack.use(await startZoneServer(store));
  const api = stack.use(await startCloudflareApi(store));
  const doh = await Promise.all(lags.map(async (lag) => stack.use(await startDohResolver(store, { lag }))));
  const override = universalSslOverride(() => api.universalSsl.enabled);
  for (const server of [zoneServer, ...doh]) server.override = override;
  const pebble = stack.use(await startPebble({ ...pebbleOptions, dnsServer: zoneServer.address }));
  const proxy = stack.use(await startAcmeProxy(pebble));
  proxy.caaIdentities = caaIdentities;
  if (caaIdentities.length > 0) proxy.caa = (name) => relevantCaa(name, store, zoneServer.override);

  const all = stack.move();
  const urls = doh.map(({ url }) => url).join(",");
  return {
    zone,
    zoneId: api.zoneId,
    token: api.token,
    cloudflareApi: api.url,
    api,
    store,
    zoneServer,
    doh,
    pebble,
    proxy,
    directory: proxy.directory,
    acmeCaPath: pebble.caPath,
    acmeCa: pebble.tls.root,
    args: Object.entries({
      "--issuer": "acme",
      "--acme-directory": proxy.directory,
      "--acme-ca": pebble.caPath,
      "--dns": "cloudflare",
      "--cloudflare-api": api.url,
      "--doh": urls,
      "--zone": zone,
    }).flat(),
    env: { CLOUDFLARE_API_TOKEN: api.token, ZONE_ID: api.zoneId },
    edgeSettings: {
      ISSUER: "acme",
      ZONE: zone,
      ACME_DIRECTORY: proxy.directory,
      ACME_TRUST: "private",
      DNS: "cloudflare",
      ZONE_ID: api.zoneId,
      CLOUDFLARE_API: api.url,
      CLOUDFLARE_API_TOKEN: api.token,
      DNS_AUTHORITIES: zoneServer.address,
      DOH: urls,
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** RFC 8659 §3: the records of the name, or of its next parent that has some. */
function relevantCaa(name: string, store: ZoneStore, override: Override | undefined): CaaData[] {
  for (let at = name; at.includes("."); at = at.slice(at.indexOf(".") + 1)) {
    const written = store.now().at(at);
    const served = (override?.(at, written) ?? written).filter(({ type }) => type === "CAA");
    if (served.length > 0) return served.flatMap(({ content }) => parseCaa(content) ?? []);
  }
  return [];
}
