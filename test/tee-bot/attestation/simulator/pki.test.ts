import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { QuoteVerifier, verify } from "@phala/dcap-qvl";
import initWasm, { js_verify } from "@phala/dcap-qvl-web";
import { X509Crl } from "@peculiar/x509";
import { beforeAll, describe, expect, it } from "vitest";
import { collateralSchema, type Collateral } from "../../../../shared/attestation/collateral.ts";
import { hasSimulatorMark } from "../../../../shared/attestation/simulator-mark.ts";
import {
  createSimulatorPki,
  openSimulatorPki,
  type SimulatorPki,
} from "../../../../tee-bot/attestation/simulator/pki.ts";
import { debugAttributes } from "../../../../tee-bot/attestation/simulator/pki/reports.ts";

const now = Date.UTC(2026, 10, 21, 12);
const dayMs = 86_400_000;
const reportData = Buffer.alloc(64, 7);

describe("a quote of the simulator", () => {
  let pki: SimulatorPki;
  let collateral: Collateral;

  beforeAll(async () => {
    pki = await createSimulatorPki({ now });
    collateral = await pki.createCollateral({ now });
    const wasm = readFileSync(new URL(import.meta.resolve("@phala/dcap-qvl-web/dcap-qvl-web_bg.wasm")));
    await initWasm({ module_or_path: wasm });
  });

  const underOwnRoot = (quote: Uint8Array, documents: Collateral = collateral, at = now) =>
    new QuoteVerifier(Buffer.from(pki.root)).verify(Buffer.from(quote), documents, at / 1000);

  it("is accepted under the simulator's own root, with every field as it was asked for", () => {
    const rtmr = [1, 2, 3, 4].map((fill) => Buffer.alloc(48, fill)) as [Buffer, Buffer, Buffer, Buffer];
    const quote = pki.signQuote({ reportData, rtmr, mrtd: Buffer.alloc(48, 9), mrConfigId: Buffer.alloc(48, 8) });
    const { status, advisory_ids, report } = underOwnRoot(quote);
    const td = report.asTd10();
    expect({ status, advisory_ids }).toEqual({ status: "UpToDate", advisory_ids: [] });
    expect(Buffer.from(td?.reportData ?? [])).toEqual(reportData);
    expect([td?.rtMr0, td?.rtMr1, td?.rtMr2, td?.rtMr3].map((mr) => Buffer.from(mr ?? []))).toEqual(rtmr);
    expect(Buffer.from(td?.mrTd ?? [])).toEqual(Buffer.alloc(48, 9));
    expect(Buffer.from(td?.mrConfigId ?? [])).toEqual(Buffer.alloc(48, 8));
  });

  it("is refused under Intel's root by both verifiers", () => {
    const quote = Buffer.from(pki.signQuote({ reportData }));
    expect(() => verify(quote, collateral, now / 1000)).toThrow(/chain/);
    expect(() => js_verify(quote, collateral, BigInt(now / 1000)) as unknown).toThrow();
  });

  it("says in its header, under the signature, that no hardware made it", () => {
    const quote = pki.signQuote({ reportData });
    expect(Buffer.from(quote).includes("SIMULATOR NOT INTEL!")).toBe(true);
    expect(hasSimulatorMark(quote)).toBe(true);
    const unmarked = Uint8Array.from(quote);
    unmarked.fill(0, 28, 48);
    expect(hasSimulatorMark(unmarked)).toBe(false);
    expect(() => underOwnRoot(unmarked)).toThrow(/signature is invalid/);
  });

  it("has report data filled with zeros, and none that is too long", () => {
    const { report } = underOwnRoot(pki.signQuote({ reportData: Uint8Array.of(1, 2) }));
    expect(Buffer.from(report.asTd10()?.reportData ?? [])).toEqual(Buffer.concat([Buffer.of(1, 2), Buffer.alloc(62)]));
    expect(() => pki.signQuote({ reportData: new Uint8Array(65) })).toThrow(RangeError);
    expect(() => pki.signQuote({ reportData, mrtd: new Uint8Array(47) })).toThrow(RangeError);
  });

  it.each([
    ["of a debuggable TD", { tdAttributes: debugAttributes }, /Debug/],
    ["of a debuggable quoting enclave", { enclave: { attributes: Buffer.alloc(16, 0x17) } }, /Debug/],
    ["of another vendor's quoting enclave", { enclave: { mrSigner: Buffer.alloc(32, 1) } }, /MRSIGNER/],
    ["of an outdated quoting enclave", { enclave: { isvSvn: 1 } }, /ISVSVN/],
    ["of a platform below all levels", { teeTcbSvn: Buffer.alloc(16) }, /TCB level/],
    ["whose attestation key nobody vouches for", { enclave: { reportData: Buffer.alloc(64) } }, /hash mismatch/],
  ])("%s is refused", (_, fault, reason) => {
    expect(() => underOwnRoot(pki.signQuote({ reportData, ...fault }))).toThrow(reason);
  });

  it("of SGX can be had, for verifiers that have to refuse it", () => {
    expect(() => underOwnRoot(pki.signSgxQuote({ reportData }))).toThrow(/QE Identity/);
  });

  it("is refused with another simulator's collateral, and under another simulator's root", async () => {
    const other = await createSimulatorPki({ now });
    const foreign = await other.createCollateral({ now });
    const quote = pki.signQuote({ reportData });
    expect(() => underOwnRoot(quote, foreign)).toThrow(/chain/);
    const verifier = new QuoteVerifier(Buffer.from(other.root));
    expect(() => verifier.verify(Buffer.from(quote), collateral, now / 1000)).toThrow(/chain/);
    expect(other.rootPem).not.toBe(pki.rootPem);
  });

  describe("with collateral that was asked for", () => {
    const quote = (): Uint8Array => pki.signQuote({ reportData });

    it.each([
      [{ status: "OutOfDate", advisories: ["INTEL-SA-00001"] }, "OutOfDate", ["INTEL-SA-00001"]],
      [{ status: "SWHardeningNeeded", advisories: [] }, "SWHardeningNeeded", []],
      [{ qeStatus: "OutOfDate" }, "OutOfDate", ["INTEL-SA-00000"]],
    ] as const)("%j has the status %s", async (options, status, advisories) => {
      const report = underOwnRoot(quote(), await pki.createCollateral({ now, ...options }));
      expect(report).toMatchObject({ status, advisory_ids: advisories });
    });

    it.each([
      [{ status: "Revoked" }, /Revoked/],
      [{ revoked: ["pck"] }, /revoked/],
      [{ revoked: ["platformCa"] }, /revoked/],
      [{ revoked: ["tcbSigning"] }, /revoked/],
      [{ fmspc: "00906ED50000" }, /Fmspc/],
      [{ now: now - 31 * dayMs }, /expired/],
      [{ now: now + dayMs }, /future/],
    ] as const)("%j is refused", async (options, reason) => {
      const documents = await pki.createCollateral({ now, ...options });
      expect(() => underOwnRoot(quote(), documents)).toThrow(reason);
    });

    it("has the shape of the wire, a TDX module to compare with, and lists that their issuers have signed", async () => {
      const documents = collateralSchema.parse(await pki.createCollateral({ now, moduleStatus: "OutOfDate" }));
      const { platformCa, root } = pki.material;
      expect(JSON.parse(documents.tcb_info)).toMatchObject({
        tdxModule: { mrsigner: "00".repeat(48) },
        tdxModuleIdentities: [{ id: "TDX_01", tcbLevels: [{ tcb: { isvsvn: 11 }, tcbStatus: "OutOfDate" }] }],
      });
      const pckCrl = new X509Crl(Buffer.from(documents.pck_crl, "hex"));
      const rootCrl = new X509Crl(Buffer.from(documents.root_ca_crl, "hex"));
      expect(await pckCrl.verify({ publicKey: platformCa.certificate })).toBe(true);
      expect(await rootCrl.verify({ publicKey: root.certificate })).toBe(true);
      expect(await rootCrl.verify({ publicKey: platformCa.certificate })).toBe(false);
      expect(pckCrl.nextUpdate?.getTime()).toBe(now + 30 * dayMs);
    });

    it("can have a list of the wrong authority, well signed", async () => {
      const documents = await pki.createCollateral({ now, pckCrlOf: "processor" });
      const list = new X509Crl(Buffer.from(documents.pck_crl, "hex"));
      expect(list.issuer).toContain("Processor");
      expect(await list.verify({ publicKey: pki.material.processorCa.certificate })).toBe(true);
    });
  });
});

describe("a simulator's root", () => {
  let directory: string;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "postern-pki-"));
    return () => rmSync(directory, { recursive: true, force: true });
  });

  it("is the same after each start, with keys that only their owner can read", async () => {
    const first = await openSimulatorPki(directory, now);
    const second = await openSimulatorPki(directory, now + dayMs);
    expect(second.rootPem).toBe(first.rootPem);
    expect(readFileSync(join(directory, "root.pem"), "utf8")).toBe(first.rootPem);
    expect(statSync(join(directory, "pki.json")).mode & 0o777).toBe(0o600);
    const quote = Buffer.from(second.signQuote({ reportData }));
    const collateral = await first.createCollateral({ now });
    expect(new QuoteVerifier(Buffer.from(first.root)).verify(quote, collateral, now / 1000).status).toBe("UpToDate");
  });

  it("is refused when its file is broken, with what to do about it", async () => {
    writeFileSync(join(directory, "pki.json"), "{}");
    await expect(openSimulatorPki(directory, now)).rejects.toThrow(/pki\.json cannot be used.*Delete it/);
    writeFileSync(join(directory, "pki.json"), " ".repeat(70_000));
    await expect(openSimulatorPki(directory, now)).rejects.toThrow(/70000 bytes/);
  });
});
