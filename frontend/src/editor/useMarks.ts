import { useState } from "react";
import { stepOf } from "./draft";
import { type Draft, type StepJson } from "./forms";

const CLIPBOARD = "attune-steps";

export type Marks = {
  ids: ReadonlySet<string>;
  turn: (id: string, besides?: string) => void;
  all: () => void;
  put: (ids: string[]) => void;
  taken: (chosen: string) => StepJson[];
};

/** The steps that are marked, to be copied or taken out together. */
export function useMarks(draft: Draft): Marks {
  const [marked, mark] = useState<ReadonlySet<string>>(new Set());
  const ids = new Set([...marked].filter((id) => stepOf(draft, id)));
  const turn = (id: string, besides?: string) => {
    if (!stepOf(draft, id)) return;
    const next = new Set(ids);
    if (!next.delete(id)) next.add(id);
    if (besides && besides !== id && stepOf(draft, besides) && ids.size === 0) next.add(besides);
    mark(next);
  };
  const all = () => mark(new Set(draft.nodes.map((one) => one.id)));
  const put = (given: string[]) => mark(new Set(given));
  /** The marked steps in the order of the draft; the chosen one where none is marked. */
  const taken = (chosen: string) => draft.nodes.filter((one) => (ids.size ? ids.has(one.id) : one.id === chosen));
  return { ids, turn, all, put, taken };
}

/** Copied steps stay for as long as the tab does: they may be pasted into another workflow. */
export function useClipboard(): [StepJson[], (steps: StepJson[]) => void] {
  const [copied, put] = useState<StepJson[]>(kept);
  const copy = (steps: StepJson[]) => {
    if (!steps.length) return;
    put(steps);
    sessionStorage.setItem(CLIPBOARD, JSON.stringify(steps));
  };
  return [copied, copy];
}

function kept(): StepJson[] {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(CLIPBOARD) ?? "[]");
    return Array.isArray(found) ? (found as StepJson[]) : [];
  } catch {
    return [];
  }
}
