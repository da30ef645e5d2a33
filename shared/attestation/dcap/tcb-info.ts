/** Intel's TCB info of one kind of platform (PCS API v4, `/tdx/certification/v4/tcb`), read from the text that was signed. */
import { z } from "zod";
import type { Platform } from "./pck-certificate.ts";
import { parseJson } from "../../parse-json.ts";
import { rejected } from "../rejected.ts";
import { isoTimeSchema, findLevel, levelsSchema, svnSchema, type Tcb } from "./tcb.ts";
import type { TdReport } from "./td-report.ts";
import { toHex } from "../../hex.ts";

const lowerHex = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-fA-F]{${2 * bytes}}$`))
    .transform((text) => text.toLowerCase());

const components = z.array(z.object({ svn: z.int().min(0).max(0xff) })).length(16);
const module = { mrsigner: lowerHex(48), attributes: lowerHex(8), attributesMask: lowerHex(8) };

const tcbInfoSchema = z.object({
  id: z.literal("TDX"),
  version: z.literal(3),
  issueDate: isoTimeSchema,
  nextUpdate: isoTimeSchema,
  fmspc: lowerHex(6),
  pceId: lowerHex(2),
  tdxModule: z.object(module),
  tdxModuleIdentities: z
    .array(z.object({ id: z.string().max(16), ...module, tcbLevels: levelsSchema(z.object({ isvsvn: svnSchema })) }))
    .max(256)
    .default([]),
  tcbLevels: levelsSchema(z.object({ sgxtcbcomponents: components, pcesvn: svnSchema, tdxtcbcomponents: components })),
});

export type TcbInfo = z.infer<typeof tcbInfoSchema>;

export function parseTcbInfo(text: string): TcbInfo {
  return parseSignedJson(text, tcbInfoSchema, "TCB info");
}

export function parseSignedJson<T>(text: string, schema: z.ZodType<T>, what: string): T {
  const document = schema.safeParse(parseJson(text));
  if (!document.success) throw rejected(`The collateral's ${what} is not one of TDX as Intel writes it.`);
  return document.data;
}

/** The level of microcode and firmware; the module's own versions count in its own level where it has one. */
export function findPlatformTcb(info: TcbInfo, { cpuSvn, pceSvn }: Platform, { teeTcbSvn }: TdReport): Tcb | undefined {
  const from = teeTcbSvn[1] === 0 ? 0 : 2;
  return findLevel(
    info.tcbLevels,
    ({ sgxtcbcomponents, pcesvn, tdxtcbcomponents }) =>
      pceSvn >= pcesvn &&
      sgxtcbcomponents.every(({ svn }, at) => (cpuSvn[at] ?? 0) >= svn) &&
      tdxtcbcomponents.slice(from).every(({ svn }, at) => (teeTcbSvn[at + from] ?? 0) >= svn),
  );
}

export type ModuleVerdict = { readonly fault: string } | { readonly name: string; readonly tcb: Tcb | undefined };

/** Whether the TDX module is Intel's, by what signed it and how it was loaded, and how old it is. */
export function judgeModule(info: TcbInfo, { teeTcbSvn, mrSignerSeam, seamAttributes }: TdReport): ModuleVerdict {
  const [svn = 0, major = 0] = teeTcbSvn;
  const id = `TDX_${toHex(teeTcbSvn.subarray(1, 2))}`;
  const identity = info.tdxModuleIdentities.find((one) => one.id === id);
  if (major > 0 && !identity) return { fault: `Intel's TCB info does not know a TDX module ${id}.` };
  const { mrsigner, attributes, attributesMask } = identity ?? info.tdxModule;
  if (toHex(mrSignerSeam) !== mrsigner)
    return { fault: `The TDX module's signer is ${toHex(mrSignerSeam)}, not Intel.` };
  const seen = BigInt(`0x${toHex(seamAttributes)}`);
  if ((seen & BigInt(`0x${attributesMask}`)) !== BigInt(`0x${attributes}`))
    return { fault: `The TDX module runs with attributes ${toHex(seamAttributes)}: it may be a debug build.` };
  const tcb = identity && findLevel(identity.tcbLevels, ({ isvsvn }) => svn >= isvsvn);
  if (identity && !tcb)
    return { fault: `The TDX module ${id} has security version ${svn}, which Intel does not list.` };
  return { name: `${major > 0 ? id : "TDX 1.0"}, security version ${svn}`, tcb };
}
