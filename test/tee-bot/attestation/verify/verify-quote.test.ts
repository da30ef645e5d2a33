import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { CheckId } from "../../../../shared/attestation/check.ts";
import { intelRoot } from "../../../../shared/attestation/dcap/intel-root.ts";
import { tcbStatuses, type PolicyInput } from "../../../../shared/attestation/policy.ts";
import { createSimulatorPki } from "../../../../tee-bot/attestation/simulator/pki.ts";
import { debugAttributes } from "../../../../tee-bot/attestation/simulator/pki/reports.ts";
import { runtimeEvent, syntheticApp, syntheticCompose, syntheticProvider } from "../support/synthetic-app.ts";
import {
  createVerificationWorld,
  worldNow,
  worldReportData,
  type Changes,
  type VerificationWorld,
} from "../support/verification-world.ts";

const dayMs = 86_400_000;
const seconds = worldNow / 1000;
let world: VerificationWorld;

beforeAll(async () => {
  world = await createVerificationWorld();
});

/** Refused, by this check, whose sentence says why. */
async function expectRefused(id: CheckId, sentence: RegExp, changes: Changes): Promise<void> {
  const told = await world.verify(changes);
  expect(told.outcome(id), told.detail(id)).toBe("fail");
  expect(told.detail(id)).toMatch(sentence);
  expect(told.verdict).toBe("refused");
}

describe("an honest node under a simulator's root that was named", () => {
  it("passes every check but the one for hardware, and is called simulated, never verified", async () => {
    const told = await world.verify();
    expect(told.verdict).toBe("simulated");
    expect(told.checks.filter(({ outcome }) => outcome === "fail")).toEqual([]);
    expect(told.outcome("hardware")).toBe("skip");
    expect(told.detail("hardware")).toMatch(/SIMULATOR/);
  });

  it("is told of in the order of the checks, each once", async () => {
    const { checks } = await world.verify();
    expect(checks.map(({ id }) => id).join(" ")).toBe(
      "nonce quote-format quote-signature collateral tcb-status td-attributes tdx-module hardware " +
        "event-log compose images key-provider os-image gpu",
    );
  });

  it("is accepted by our own reading and by the library that takes a root, which is said", async () => {
    const told = await world.verify();
    expect(told.detail("quote-signature")).toMatch(/Our own reading and @phala\/dcap-qvl accept it/);
    expect(told.detail("quote-signature")).toMatch(/@phala\/dcap-qvl-web was not asked: it knows no root but Intel's/);
  });

  it("is verified at a time whose clock is named", async () => {
    expect((await world.verify()).detail("collateral")).toMatch(/2026-11-21T12:00:00Z by the test's clock/);
  });
});

describe("the root", () => {
  it("that is not Intel's is refused unless a simulator's was named", async () => {
    await expectRefused("quote-signature", /not Intel's, and was not named/, {
      trust: { root: world.pki.root, simulated: false },
    });
  });

  it("of Intel refuses what a simulator has signed, and its mark is seen whoever has signed", async () => {
    const trust = { root: intelRoot, simulated: false };
    await expectRefused("quote-signature", /pinned root/, { trust });
    await expectRefused("hardware", /a simulator has signed/, { trust });
  });

  it("of a simulator takes no quotes without the simulator's mark", async () => {
    await expectRefused("hardware", /only quotes with its mark/, { quote: { userData: new Uint8Array(20) } });
  });

  it("of one simulator is not that of another", async () => {
    const other = await createSimulatorPki({ now: worldNow });
    await expectRefused("quote-signature", /pinned root/, { trust: { root: other.root, simulated: true } });
  });
});

describe("the quote", () => {
  it("that answers another question is refused", async () => {
    await expectRefused("nonce", /another question/, { subject: { reportData: Buffer.alloc(64, 8) } });
  });

  it("whose report data nobody asked about has no check for it", async () => {
    expect((await world.verify({ subject: { reportData: undefined } })).outcome("nonce")).toBeUndefined();
  });

  it("of SGX is refused by name", async () => {
    const sgx = world.pki.signSgxQuote({ reportData: worldReportData });
    await expectRefused("quote-format", /an SGX quote \(version 3\)/, { bytes: () => sgx });
  });

  it.each([
    ["four junk bytes", Buffer.from("junk")],
    ["one byte that is not zero, after zeros", Buffer.from([0, 0, 0, 1])],
    ["more zeros than any service reserves", Buffer.alloc(257)],
  ])("with %s after it is refused, though libraries accept it", async (_, tail) => {
    const bytes = (quote: Uint8Array): Uint8Array => Buffer.concat([quote, tail]);
    await expectRefused("quote-format", /that do not belong to it/, { bytes });
  });

  it("filled up with zeros, as Intel's service does, is accepted, and that is said", async () => {
    const told = await world.verify({ bytes: (quote) => Buffer.concat([quote, Buffer.alloc(70)]) });
    expect(told.verdict).toBe("simulated");
    expect(told.detail("quote-format")).toMatch(/70 zeros/);
  });

  it.each([0, 1, 47, 48, 631, 632, 4000])("cut off after %i bytes is refused", async (length) => {
    await expectRefused("quote-format", /./, { bytes: (quote) => quote.subarray(0, length) });
  });

  it("that is not hexadecimal is refused", async () => {
    await expectRefused("quote-format", /hexadecimal/, { evidence: { quote: "zz" } });
  });

  it("of a TD that can be debugged is refused", async () => {
    await expectRefused("td-attributes", /can be debugged/, { quote: { tdAttributes: debugAttributes } });
  });

  it.each([
    ["without SEPT_VE_DISABLE", "0000000000000000", /SEPT_VE_DISABLE/],
    ["that can be migrated", "0000003000000000", /migrated/],
    ["with a reserved attribute", "0001001000000000", /reserved/],
  ])("of a TD %s is refused", async (_, tdAttributes, sentence) => {
    await expectRefused("td-attributes", sentence, { quote: { tdAttributes: Buffer.from(tdAttributes, "hex") } });
  });

  it("of a TDX module by another signer, which both libraries accept, is refused", async () => {
    await expectRefused("tdx-module", /signer/, { quote: { mrSignerSeam: Buffer.alloc(48, 1) } });
  });

  it("of a debug build of the TDX module is refused", async () => {
    const seamAttributes = Buffer.from("0100000000000000", "hex");
    await expectRefused("tdx-module", /debug build/, { quote: { seamAttributes } });
  });

  it("of a TDX module that Intel does not list is refused", async () => {
    const teeTcbSvn = Buffer.from("0b090400000000000000000000000000", "hex");
    await expectRefused("tdx-module", /does not know a TDX module TDX_09/, { quote: { teeTcbSvn } });
  });

  it.each([
    ["is by another signer", { mrSigner: Buffer.alloc(32, 9) }, /another signer/],
    ["is another product", { isvProdId: 1 }, /another product/],
    ["can be debugged", { attributes: Buffer.from("1700000000000000e700000000000000", "hex") }, /debugged/],
    ["has other attributes", { attributes: Buffer.from("1500000000000001e700000000000000", "hex") }, /attributes/],
    ["binds another key", { reportData: Buffer.alloc(64, 3) }, /another attestation key/],
  ])("by a quoting enclave that %s is refused", async (_, enclave, sentence) => {
    await expectRefused("quote-signature", sentence, { quote: { enclave } });
  });

  it("by a quoting enclave older than any that Intel lists is refused", async () => {
    await expectRefused("tcb-status", /older than any/, { quote: { enclave: { isvSvn: 1 } } });
  });
});

describe("the state of the platform", () => {
  it.each(tcbStatuses.filter((status) => status !== "UpToDate"))("%s is refused by default", async (status) => {
    const collateral = await world.pki.createCollateral({ now: worldNow, status });
    await expectRefused(status === "Revoked" ? "quote-signature" : "tcb-status", /./, { collateral });
    await expectRefused("tcb-status", new RegExp(status), { collateral });
  });

  it("OutOfDate passes a policy that names it together with what is open", async () => {
    const collateral = await world.pki.createCollateral({ now: worldNow, status: "OutOfDate" });
    const advisories = ["INTEL-SA-00000"];
    const told = await world.verify({ collateral, policy: { tcb: ["UpToDate", "OutOfDate"], advisories } });
    expect(told.verdict).toBe("simulated");
    await expectRefused("tcb-status", /does not accept INTEL-SA-00000/, { collateral, policy: { tcb: ["OutOfDate"] } });
  });

  it.each(["qeStatus", "moduleStatus"] as const)("is as bad as its worst part: %s", async (part) => {
    const collateral = await world.pki.createCollateral({ now: worldNow, [part]: "OutOfDate" });
    await expectRefused("tcb-status", /OutOfDate/, { collateral });
  });

  it("is Revoked in no policy's words", async () => {
    const tcb = ["Revoked"] as never;
    await expect(world.verify({ policy: { tcb } })).rejects.toThrow();
  });
});

describe("collateral", () => {
  it("that is missing leaves unknown what it would have told, and the verdict with it", async () => {
    const told = await world.verify({ collateral: undefined });
    for (const id of ["quote-signature", "collateral", "tcb-status", "tdx-module"] as const)
      expect(told.outcome(id)).toBe("skip");
    expect(told.verdict).toBe("unknown");
  });

  it("of another shape is as good as none", async () => {
    const told = await world.verify({ collateral: { ...world.collateral, pck_crl: "no hex" } });
    expect(told.outcome("collateral")).toBe("skip");
  });

  it.each([
    ["after it has run out", 31 * dayMs, /has run out/],
    ["before it was issued, which one library accepts", -dayMs, /from the future|not issued yet/],
  ])("is refused %s", async (_, afterMs, sentence) => {
    const at = { seconds: (worldNow + afterMs) / 1000, clock: "the test's clock" };
    await expectRefused("collateral", sentence, { subject: { at } });
  });

  it("is refused for one document that was not issued yet, or has run out, for itself", async () => {
    const later = await world.pki.createCollateral({ now: worldNow + dayMs });
    const earlier = await world.pki.createCollateral({ now: worldNow - 40 * dayMs });
    const { collateral: now } = world;
    const { tcb_info, tcb_info_signature, qe_identity, qe_identity_signature, root_ca_crl, pck_crl } = later;
    for (const [part, sentence] of [
      [{ tcb_info, tcb_info_signature }, /TCB info was not issued yet/],
      [{ qe_identity, qe_identity_signature }, /QE identity was not issued yet/],
      [{ root_ca_crl }, /root's revocation list is from the future/],
      [{ pck_crl }, /list of platforms is from the future/],
      [{ tcb_info: earlier.tcb_info, tcb_info_signature: earlier.tcb_info_signature }, /TCB info has run out/],
      [
        { qe_identity: earlier.qe_identity, qe_identity_signature: earlier.qe_identity_signature },
        /QE identity has run out/,
      ],
      [{ root_ca_crl: earlier.root_ca_crl }, /root's revocation list has run out/],
    ] as const)
      await expectRefused("collateral", sentence, { collateral: { ...now, ...part } });
  });

  it("is refused before certificates were valid, and after", async () => {
    for (const years of [-3, 30]) {
      const at = { seconds: seconds + years * 365 * 86_400, clock: "the test's clock" };
      await expectRefused("quote-signature", /not valid at this time/, { subject: { at } });
    }
  });

  it.each([
    ["pck", /this platform's certificate/],
    ["platformCa", /in the middle of a chain/],
    ["tcbSigning", /in the middle of a chain/],
  ] as const)("that revokes %s is refused", async (revoked, sentence) => {
    const collateral = await world.pki.createCollateral({ now: worldNow, revoked: [revoked] });
    await expectRefused("collateral", sentence, { collateral });
  });

  it("with another CA's revocation list is refused, well signed as it is", async () => {
    const collateral = await world.pki.createCollateral({ now: worldNow, pckCrlOf: "processor" });
    await expectRefused("collateral", /another issuer/, { collateral });
  });

  it("for another kind of platform is refused", async () => {
    const collateral = await world.pki.createCollateral({ now: worldNow, fmspc: "00906ED50000" });
    await expectRefused("collateral", /for platforms 00906ed50000/, { collateral });
  });

  it("of another root is refused, each document for itself", async () => {
    const other = await (await createSimulatorPki({ now: worldNow })).createCollateral({ now: worldNow });
    for (const name of ["root_ca_crl", "pck_crl", "tcb_info_signature", "qe_identity_signature"] as const)
      await expectRefused("collateral", /signed|issuer/, { collateral: { ...world.collateral, [name]: other[name] } });
    for (const name of ["tcb_info_issuer_chain", "qe_identity_issuer_chain"] as const)
      await expectRefused("collateral", /pinned root/, { collateral: { ...world.collateral, [name]: other[name] } });
  });

  it("with revocation lists of garbage, with a broken signature, or stale, is refused, though a library accepts it", async () => {
    const stale = await world.pki.createCollateral({ now: worldNow - 365 * dayMs });
    const broken = world.collateral.pck_crl.replace(/..$/, (last) => (last === "00" ? "01" : "00"));
    for (const [pck_crl, sentence] of [
      ["deadbeef", /./],
      [broken, /not signed|cannot be read/],
      [stale.pck_crl, /has run out/],
    ] as const)
      await expectRefused("collateral", sentence, { collateral: { ...world.collateral, pck_crl } });
  });

  it("whose chain stands for the platform's is not listened to", async () => {
    const other = await createSimulatorPki({ now: worldNow });
    const pck_certificate_chain = other.rootPem;
    const told = await world.verify({ collateral: { ...world.collateral, pck_certificate_chain } });
    expect(told.verdict).toBe("simulated");
  });
});

describe("the application", () => {
  it("is refused when its event log was changed, though the printed digest was kept", async () => {
    const app = syntheticApp();
    const swapped = app.evidence.event_log.replaceAll(app.composeHash, "00".repeat(32));
    await expectRefused("event-log", /does not replay to RTMR3/, { app, evidence: { event_log: swapped } });
  });

  it("is refused when an event of its log was dropped", async () => {
    const app = syntheticApp();
    const event_log = JSON.stringify(app.events.slice(0, -1));
    await expectRefused("event-log", /RTMR3/, { app, evidence: { event_log } });
  });

  it("is refused when its text is not the measured one, were it only written anew", async () => {
    const app_compose = JSON.stringify(JSON.parse(syntheticCompose));
    await expectRefused("compose", /hashes to/, { evidence: { app_compose } });
  });

  it("is refused when the policy names others only", async () => {
    await expectRefused("compose", /does not name/, { policy: { compose: ["0".repeat(64)] } });
  });

  it("passes with a policy that names it, shown or not; hidden and unnamed it is unknown", async () => {
    const app = syntheticApp();
    const named = { compose: [app.composeHash] };
    const hidden = { event_log: app.evidence.event_log, app_compose: undefined as never };
    expect((await world.verify({ policy: named })).verdict).toBe("simulated");
    expect((await world.verify({ policy: named, evidence: hidden })).verdict).toBe("simulated");
    expect((await world.verify({ evidence: hidden })).verdict).toBe("unknown");
  });

  it("is refused when an image goes by a tag", async () => {
    const compose = syntheticCompose.replace(/@sha256:abab\w+/, ":latest");
    await expectRefused("images", /example\.org\/web:latest/, { app: syntheticApp({ compose }) });
  });

  it("is refused when its file includes others, and unknown in its images when it is of another kind", async () => {
    const { docker_compose_file, ...rest } = JSON.parse(syntheticCompose) as { docker_compose_file: string };
    const including = JSON.stringify({ ...rest, docker_compose_file: `include: [a.yml]\n${docker_compose_file}` });
    await expectRefused("images", /files that it includes/, { app: syntheticApp({ compose: including }) });
    const told = await world.verify({ app: syntheticApp({ compose: '{"runner":"bash","bash_script":"x"}' }) });
    expect([told.outcome("compose"), told.outcome("images")]).toEqual(["pass", "skip"]);
  });

  it("is refused when MRCONFIGID names another one, and passes when it names this one", async () => {
    const app = syntheticApp();
    const configId = (hash: string): Buffer => Buffer.from(`01${hash}`.padEnd(96, "0"), "hex");
    await expectRefused("compose", /MRCONFIGID/, { app, quote: { mrConfigId: configId("0".repeat(64)) } });
    const told = await world.verify({ app, quote: { mrConfigId: configId(app.composeHash) } });
    expect(told.detail("compose")).toMatch(/MRCONFIGID says the same/);
  });

  it("is held to the key provider that the policy names", async () => {
    const good = await world.verify({ policy: { keyProviderIds: [syntheticProvider.id] } });
    expect(good.outcome("key-provider")).toBe("pass");
    await expectRefused("key-provider", /does not name/, { policy: { keyProviderIds: ["ab"] } });
  });

  it("is held to the operating system that the policy names", async () => {
    const app = syntheticApp();
    const mrtd = Buffer.alloc(48, 5);
    const os = { name: "an OS", mrtd: mrtd.toString("hex"), rtmr1: app.rtmr[1].toString("hex") };
    const policy = (rtmr2: Buffer): PolicyInput => ({ os: [{ ...os, rtmr2: rtmr2.toString("hex") }] });
    const told = await world.verify({ app, quote: { mrtd }, policy: policy(app.rtmr[2]) });
    expect(told.outcome("os-image")).toBe("pass");
    await expectRefused("os-image", /no operating system/, { app, quote: { mrtd }, policy: policy(app.rtmr[1]) });
  });

  it("shows GPU evidence only as it was measured at boot", async () => {
    const shown = JSON.stringify({ claims: [{ measres: "success", hwmodel: "GH100" }] });
    const evidence_sha256 = createHash("sha256").update(shown).digest("hex");
    const payload = Buffer.from(JSON.stringify({ evidence_sha256 })).toString("hex");
    const app = syntheticApp({ more: [runtimeEvent("gpu-attestation", payload)] });
    const told = await world.verify({ app, subject: { gpuAttestation: shown } });
    expect(told.outcome("gpu")).toBe("pass");
    expect((await world.verify({ app })).outcome("gpu")).toBe("skip");
    await expectRefused("gpu", /not the one/, { app, subject: { gpuAttestation: `${shown} ` } });
    await expectRefused("gpu", /never measured/, { subject: { gpuAttestation: shown } });
  });
});
