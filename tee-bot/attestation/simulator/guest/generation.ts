/** Which dstack is imitated: they differ in what their guest agents can do and in how their systems are measured. */
export const generations = ["0.5", "0.6"] as const;
export type Generation = (typeof generations)[number];

export interface GenerationTraits {
  /** What Version answers. */
  readonly version: string;
  /** EmitEvent extends RTMR3; gone in 0.6. */
  readonly emitsEvents: boolean;
  readonly knowsGpus: boolean;
  /**
   * The system's image can be checked without having it: the machine's configuration brings what it was measured of. The
   * log then leaves out what can be computed: payloads of the boot, digests of the events of a running system.
   */
  readonly lite: boolean;
}

export const traits: Readonly<Record<Generation, GenerationTraits>> = {
  "0.5": { version: "0.5.11", emitsEvents: true, knowsGpus: false, lite: false },
  "0.6": { version: "0.6.0", emitsEvents: false, knowsGpus: true, lite: true },
};
