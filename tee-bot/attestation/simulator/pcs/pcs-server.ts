/**
 * Collateral over HTTP on loopback, in the form of Intel's PCS API v4 as caching services (PCCS) have it: issuer chains in
 * headers, URL-encoded; the list of the root, which Intel has elsewhere, in hex.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Clock } from "../../../../shared/clock.ts";
import type { Collateral } from "../../../../shared/attestation/collateral.ts";
import { errorText } from "../../../../shared/errors.ts";
import type { Log } from "../../../../shared/log.ts";
import type { CollateralOptions } from "../pki/collateral.ts";
import { platformFmspc } from "../pki/tcb-texts.ts";
import { listenOnLoopback, type LoopbackServer } from "../loopback-server.ts";
import type { SimulatorPki } from "../pki.ts";

export interface PcsServerOptions {
  readonly pki: SimulatorPki;
  /** 0: any. */
  readonly port: number;
  readonly clock: Clock;
  readonly log: Log;
  /** What the documents say, asked for each time. */
  readonly collateral: () => Omit<CollateralOptions, "now">;
}

/** As an answer is sent. */
interface Document {
  readonly body: Buffer | string;
  readonly type: string;
  readonly header?: readonly [name: string, chain: string];
}

const requestTimeoutMs = 10_000;
const octets = "application/octet-stream";
const json = "application/json";

/** Its URL comes before `/sgx/certification/v4`. */
export function startPcsServer(options: PcsServerOptions): Promise<LoopbackServer> {
  const server = createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
    void answer(request, response, options).catch((error: unknown) => {
      options.log.error("collateral.failed", { reason: errorText(error) });
      response.destroy();
    });
  });
  return listenOnLoopback(server, options.port);
}

async function answer(request: IncomingMessage, response: ServerResponse, options: PcsServerOptions): Promise<void> {
  const url = URL.parse(request.url ?? "/", "http://pcs");
  const document = url && request.method === "GET" ? await documentAt(url, options) : undefined;
  if (!document) {
    response.writeHead(404, { "x-simulated": "true" }).end();
    return;
  }
  const { body, type, header } = document;
  const headers = {
    "content-type": type,
    "x-simulated": "true",
    ...(header && { [header[0]]: encodeURIComponent(header[1]) }),
  };
  response.writeHead(200, headers).end(body);
}

async function documentAt({ pathname, searchParams }: URL, options: PcsServerOptions): Promise<Document | undefined> {
  const { pki, clock, collateral } = options;
  const documents = (pckCrlOf: "platform" | "processor" = "platform"): Promise<Collateral> =>
    pki.createCollateral({ pckCrlOf, ...collateral(), now: clock.now() });
  switch (pathname) {
    case "/sgx/certification/v4/pckcrl": {
      const ca = searchParams.get("ca");
      if ((ca !== "platform" && ca !== "processor") || searchParams.get("encoding") !== "der") return undefined;
      const { pck_crl, pck_crl_issuer_chain } = await documents(ca);
      return {
        body: Buffer.from(pck_crl, "hex"),
        type: octets,
        header: ["SGX-PCK-CRL-Issuer-Chain", pck_crl_issuer_chain],
      };
    }
    case "/sgx/certification/v4/rootcacrl":
      return { body: (await documents()).root_ca_crl, type: octets };
    case "/tdx/certification/v4/tcb": {
      if (searchParams.get("fmspc")?.toUpperCase() !== platformFmspc) return undefined;
      const { tcb_info, tcb_info_signature, tcb_info_issuer_chain } = await documents();
      // The text that is signed has to stay as it is.
      const body = `{"tcbInfo":${tcb_info},"signature":"${tcb_info_signature}"}`;
      return { body, type: json, header: ["TCB-Info-Issuer-Chain", tcb_info_issuer_chain] };
    }
    case "/tdx/certification/v4/qe/identity": {
      const { qe_identity, qe_identity_signature, qe_identity_issuer_chain } = await documents();
      const body = `{"enclaveIdentity":${qe_identity},"signature":"${qe_identity_signature}"}`;
      return { body, type: json, header: ["SGX-Enclave-Identity-Issuer-Chain", qe_identity_issuer_chain] };
    }
    default:
      return undefined;
  }
}
