/** Stands in for a provisioning service (PCS API v4): answers by path, well or with the faults that a test asks for. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createTestCertificate } from "../../../support/certificate.ts";

export interface PcsAnswer {
  status?: number;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** Never answered. */
  silent?: boolean;
}

export interface Pcs extends AsyncDisposable {
  readonly base: string;
  readonly asked: string[];
  /** By the part of the path that tells them apart: `pckcrl`, `tcb`, `identity`, `rootcacrl`. */
  readonly answers: Record<"pckcrl" | "tcb" | "identity" | "rootcacrl", PcsAnswer>;
}

export const signature = "ab".repeat(64);
/** Begins as every revocation list does; nothing here reads further. */
export const crl = "3003020101";

export async function startPcs(): Promise<Pcs> {
  const { certificate } = await createTestCertificate({ hostnames: ["issuer.test"] });
  const chain = encodeURIComponent(`${certificate}\n${certificate}\n`);
  const answers: Pcs["answers"] = {
    pckcrl: { headers: { "SGX-PCK-CRL-Issuer-Chain": chain }, body: Buffer.from(crl, "hex") },
    tcb: {
      headers: { "TCB-Info-Issuer-Chain": chain },
      body: `{"tcbInfo":{"id":"TDX", "nextUpdate":"2027-01-01T00:00:00Z"},"signature":"${signature}"}`,
    },
    identity: {
      headers: { "SGX-Enclave-Identity-Issuer-Chain": chain },
      body: `{"enclaveIdentity":{"id":"TD_QE","nextUpdate":"2027-01-01T00:00:00Z"},"signature":"${signature}"}`,
    },
    rootcacrl: { body: crl },
  };
  const asked: string[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    asked.push(request.url ?? "");
    const [, which = ""] = /\/(pckcrl|tcb|identity|rootcacrl)(?:\?|$)/.exec(request.url ?? "") ?? [];
    const { status = 200, headers = {}, body = "", silent = false } = answers[which as keyof Pcs["answers"]] ?? {};
    if (!silent) response.writeHead(status, headers).end(body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answers,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
