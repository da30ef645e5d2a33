/**
 * The machine that the simulator stands for: what its PCK certificate says of it, and the versions that its quotes and
 * the collateral agree on. The FMSPC is of no processor family of Intel's: it spells SIM.
 */
export const fmspc = Buffer.from("53494d000000", "hex");
export const pceId = Buffer.from("0000", "hex");
/** Security versions of the SGX components, as of a machine of 2025. */
export const cpuSvn = Buffer.from("04040202040100050000000000000000", "hex");
export const pceSvn = 11;
/** TDX module 1.11: the second byte is the module's major version, which its identity's name ends in. */
export const teeTcbSvn = Buffer.from("0b010400000000000000000000000000", "hex");

export const quotingEnclave = {
  /** `DC9E2A7C…` is Intel's; this one belongs to nobody. */
  mrSigner: Buffer.alloc(32, "SIM"),
  mrEnclave: Buffer.alloc(32, "QE"),
  isvProdId: 2,
  isvSvn: 6,
  /** INIT, MODE64BIT and the provisioning key, without DEBUG; then XFRM. */
  attributes: Buffer.from("1500000000000000e700000000000000", "hex"),
} as const;
