import type { SettingPath } from "./path.ts";

/** Something wrong with the settings. */
export interface Mistake {
  readonly path: SettingPath;
  /** `what · what to do`. Never the value, which may be a secret in the wrong place. */
  readonly text: string;
  /** Whether the name itself is wrong, rather than its value. */
  readonly atName?: boolean;
}
