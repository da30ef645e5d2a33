/**
 * A stand-in for a node: TLS and the evidence of each connection, as a node serves it, with quotes of a TEE that the test
 * brings. It imitates what can go wrong: answers that are broken, late, or of another connection.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket, TlsOptions } from "node:tls";
import {
  evidencePath,
  evidenceVersion,
  type Evidence,
  type QuoteEvidence,
} from "../../../../../shared/attestation/evidence.ts";
import { keysetDigest, type Keyset } from "../../../../../shared/attestation/keyset.ts";
import { connectionReportData, exporterBytes, exporterLabel } from "../../../../../shared/attestation/report-data.ts";
import type { TestCertificate } from "../../../../support/certificate.ts";
import { hexOf, someKeyset, someNode } from "./evidence.ts";

export interface AttestedServerOptions {
  readonly certificate: TestCertificate;
  readonly domain: string;
  readonly quote: (reportData: Uint8Array) => QuoteEvidence | Promise<QuoteEvidence>;
  readonly collateral?: Evidence["collateral"];
  readonly keyset?: Partial<Keyset>;
  readonly tls?: TlsOptions;
}

export interface AttestedServer extends AsyncDisposable {
  readonly port: number;
  /** Changes the document before it is sent. */
  tamper: (document: Evidence, socket: TLSSocket) => unknown;
  /** Answers instead; false: it leaves that to the server. */
  respond: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export async function startAttestedServer(options: AttestedServerOptions): Promise<AttestedServer> {
  const { certificate } = options;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (server.respond(request, response)) return;
    const url = new URL(request.url ?? "/", "https://node");
    if (url.pathname !== evidencePath) return void response.writeHead(404).end();
    const socket = request.socket as TLSSocket;
    const document = await evidenceOn(socket, url.searchParams.get("nonce") ?? "", options);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(server.tamper(document, socket)));
  };
  const listening = createServer(
    { cert: certificate.certificate, key: certificate.key, ...options.tls },
    (request, response) => void answer(request, response).catch(() => response.destroy()),
  ).listen(0, "127.0.0.1");
  listening.on("tlsClientError", () => {});
  await once(listening, "listening");
  const server: AttestedServer = {
    port: (listening.address() as AddressInfo).port,
    tamper: (document) => document,
    respond: () => false,
    async [Symbol.asyncDispose]() {
      listening.closeAllConnections();
      listening.close();
      await once(listening, "close");
    },
  };
  return server;
}

async function evidenceOn(socket: TLSSocket, nonce: string, options: AttestedServerOptions): Promise<Evidence> {
  const { certificate, domain, quote, collateral, keyset: changes } = options;
  const spki = certificate.leaf.publicKey.export({ type: "spki", format: "der" });
  const spkiSha256 = createHash("sha256").update(spki).digest();
  const keyset = someKeyset({ tls_public_keys: [{ domain, spki_sha256: hexOf(spkiSha256) }], ...changes });
  const digest = await keysetDigest(keyset);
  const nonceBytes = Buffer.from(nonce, "hex");
  const exporter = socket.exportKeyingMaterial(exporterBytes, exporterLabel, nonceBytes);
  const reportData = await connectionReportData({ keysetDigest: digest, spkiSha256, exporter, nonce: nonceBytes });
  return {
    version: evidenceVersion,
    simulated: true,
    node_id: keyset.node_id ?? someNode,
    nonce,
    keyset,
    keyset_digest: hexOf(digest),
    connection: { spki_sha256: hexOf(spkiSha256), exporter_label: exporterLabel, exporter: hexOf(exporter) },
    report_data: hexOf(reportData),
    evidence: await quote(reportData),
    ...(collateral && { collateral }),
    custody: [],
    caa: [],
    images: [],
  };
}
