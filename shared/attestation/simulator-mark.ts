/**
 * What every quote of the simulator has in the user data of its header (20 bytes, which the signature covers), so that
 * whoever reads one knows, whatever root it stands under.
 */
export const simulatorMark: Uint8Array<ArrayBuffer> = new TextEncoder().encode("SIMULATOR NOT INTEL!");

/** Where user data stands in the header of a quote, of any version (Intel TDX DCAP Quoting Library API, appendix 3). */
const userDataStart = 28;

export function hasSimulatorMark(quote: Uint8Array): boolean {
  return simulatorMark.every((byte, index) => quote[userDataStart + index] === byte);
}
