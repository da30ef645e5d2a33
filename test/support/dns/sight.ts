/** How one server sees the zone: late, or not as it is written. */
import type { Moment, ZoneRecord, ZoneStore, ZoneView } from "./zone-store.ts";

/** So many milliseconds behind, or as the zone was when this was set: nothing that changes later is seen. */
export type Lag = number | "never";

/** The records a name has in the eyes of a server, given those that are written; undefined leaves them as they are. */
export type Override = (name: string, written: readonly ZoneRecord[]) => readonly ZoneRecord[] | undefined;

export interface Overriding {
  override: Override | undefined;
}

export interface Sight extends Overriding {
  lag: Lag;
  look(): ZoneView;
}

export function sight(store: ZoneStore, initial: Lag): Sight {
  let lag = initial;
  let moment = momentOf(store, lag);
  const it: Sight = {
    override: undefined,
    get lag() {
      return lag;
    },
    set lag(value) {
      lag = value;
      moment = momentOf(store, value);
    },
    look() {
      const view = store.view(moment);
      const { override } = it;
      if (!override) return view;
      const at = (name: string): ZoneRecord[] => {
        const written = view.at(name);
        return [...(override(name.toLowerCase(), written) ?? written)];
      };
      return { ...view, at, has: (name) => at(name).length > 0 || view.has(name) };
    },
  };
  return it;
}

const momentOf = (store: ZoneStore, lag: Lag): Moment =>
  lag === "never" ? { revision: store.revision } : { agoMs: lag };
