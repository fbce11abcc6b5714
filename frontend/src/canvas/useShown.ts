import { useEffect, useState } from "react";
import type { Mode, Plan } from "./plan";

/** How often the counts are looked at anew, and how much longer than an answer took, in ms. */
const EVERY = 4_000;
const TIMES = 20;
/** Tells the tables beside the drawing that they may look too. */
const LOOKED = "figures-looked";

export type Showing = { plan: Plan; mode: string; show: (key: string) => void; lost: boolean };

/**
 * The plan as it stands now, or in another mode. Its figures are asked for again and again
 * while somebody looks, the seldomer the longer the server takes for them.
 */
export function useShown(given: Plan): Showing {
  const modes = given.modes ?? [];
  const [mode, show] = useState(modes[0]?.key ?? "");
  const [plan, put] = useState(given);
  const [lost, lose] = useState(false);
  useEffect(() => {
    const asked = modes.find((one) => one.key === mode);
    if (!asked) return;
    const stop = new AbortController();
    const live = mode === modes[0]?.key;
    const look = async (): Promise<number> => {
      const began = performance.now();
      if (!document.hidden) {
        put(await fetched(asked, stop.signal));
        lose(false);
        document.body.dispatchEvent(new CustomEvent(LOOKED));
      }
      return Math.max(EVERY, TIMES * (performance.now() - began));
    };
    let timer = 0;
    const again = (after: number) => {
      timer = window.setTimeout(() => {
        look()
          .then(again)
          .catch(() => { if (!stop.signal.aborted) { lose(true); again(TIMES * EVERY); } });
      }, after);
    };
    again(live && plan === given ? EVERY : 0);
    return () => { stop.abort(); clearTimeout(timer); };
    // The plan changes with every look; only another mode begins anew.
  }, [mode]);
  return { plan, mode, show, lost };
}

async function fetched(mode: Mode, signal: AbortSignal): Promise<Plan> {
  const answer = await fetch(mode.address, { signal, headers: { "Attune-Polling": "1", Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()) as Plan;
}
