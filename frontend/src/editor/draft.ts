// The draft as a value: every edit returns another one, so that each can be undone.

import { type Draft, ENTRY, type Fields, formOf, type Forms, isShown, type StepJson } from "./forms";

const NAME = /^[a-z][a-z0-9_-]{0,39}$/;

export function stepOf(draft: Draft, id: string): StepJson | undefined {
  return draft.nodes.find((one) => one.id === id);
}

/** The steps that a step leads to, by the key of the way. */
export function waysOf(forms: Forms, step: StepJson): { key: string; label: string; to: string }[] {
  return formOf(forms, step).ways.filter((way) => isShown(way, step)).map(({ key, label }) => {
    const to = step[key];
    return { key, label, to: typeof to === "string" ? to : "" };
  });
}

export function setFields(draft: Draft, id: string, changes: Fields): Draft {
  if (id === ENTRY) return { ...draft, trigger: { ...without(draft.trigger, changes), kind: kindOf(draft.trigger, changes) } };
  const nodes = draft.nodes.map((one) =>
    one.id === id ? { ...without(one, changes), id: one.id, kind: one.kind } : one,
  );
  return { ...draft, nodes };
}

function kindOf(trigger: { kind: string }, changes: Fields): string {
  return typeof changes.kind === "string" ? changes.kind : trigger.kind;
}

/** Lay the changes over the fields; what is set to undefined goes. */
function without(fields: Fields, changes: Fields): Fields {
  const merged = { ...fields, ...changes };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
}

export function lead(draft: Draft, from: string, way: string, to: string): Draft {
  if (from === ENTRY) return { ...draft, start: to };
  return setFields(draft, from, { [way]: to || undefined });
}

/** Another kind of trigger begins empty: what one asks, the other does not know. */
export function setTrigger(draft: Draft, kind: string): Draft {
  return { ...draft, trigger: { kind } };
}

/** Put a new step on a way, so that it leads on to where the way led before. */
export function insert(forms: Forms, draft: Draft, kind: string, from: string, way: string): [Draft, string] {
  const id = freeName(draft, kind);
  const before = from === ENTRY ? draft.start : stepOf(draft, from)?.[way];
  const step: StepJson = { id, kind, ...firstFields(kind) };
  const first = formOf(forms, step).ways[0];
  if (first && typeof before === "string" && before) step[first.key] = before;
  const at = draft.nodes.findIndex((one) => one.id === from) + 1;
  const nodes = [...draft.nodes.slice(0, at), step, ...draft.nodes.slice(at)];
  return [lead({ ...draft, nodes }, from, way, id), id];
}

/** Add a step that nothing leads to yet. */
export function add(draft: Draft, step: StepJson): [Draft, string] {
  const id = freeName(draft, step.id);
  return [{ ...draft, nodes: [...draft.nodes, { ...step, id }] }, id];
}

export function firstFields(kind: string): Fields {
  if (kind === "wait") return { for: { days: 1 } };
  if (kind === "wait_for") return { event: "message.clicked", up_to: { days: 3 } };
  if (kind === "split") return { weight1: 50, weight2: 50 };
  if (kind === "goal") return { then: "exit" };
  if (kind === "task") return { due: { days: 2 } };
  if (kind === "webhook") return { up_to: { hours: 1 } };
  return {};
}

/** Take a step out; what led to it leads to where its first way led. */
export function remove(forms: Forms, draft: Draft, id: string): Draft {
  const gone = stepOf(draft, id);
  if (!gone) return draft;
  const heir = waysOf(forms, gone).find((way) => way.to && way.to !== id)?.to ?? "";
  return renamed({ ...draft, nodes: draft.nodes.filter((one) => one.id !== id) }, forms, id, heir);
}

/** Give a step another name, wherever it is named. Undefined when the name cannot be used. */
export function rename(forms: Forms, draft: Draft, id: string, name: string): Draft | undefined {
  if (!NAME.test(name) || stepOf(draft, name)) return undefined;
  const nodes = draft.nodes.map((one) => (one.id === id ? { ...one, id: name } : one));
  return renamed({ ...draft, nodes }, forms, id, name);
}

function renamed(draft: Draft, forms: Forms, before: string, after: string): Draft {
  const nameOf = (id: string) => (id === before ? after : id);
  const nodes = draft.nodes.map((one) => named(forms, one, nameOf));
  return { ...draft, nodes, start: nameOf(draft.start) };
}

/** Name other steps anew wherever the step names them; an empty name takes the mention out. */
function named(forms: Forms, step: StepJson, nameOf: (id: string) => string): StepJson {
  const changes: Fields = {};
  for (const way of waysOf(forms, step)) if (way.to) changes[way.key] = nameOf(way.to) || undefined;
  for (const key of ["of", "about"]) {
    const told = step[key];
    if (typeof told === "string") changes[key] = nameOf(told) || undefined;
  }
  for (const [key, asked] of Object.entries(step)) {
    if (!/^if\d?$/.test(key) || !isFields(asked) || typeof asked.of !== "string") continue;
    const of = nameOf(asked.of);
    changes[key] = of ? { ...asked, of } : undefined;
  }
  return { ...without(step, changes), id: step.id, kind: step.kind };
}

/**
 * Put copied steps in, with the ways between them. Ways out of them are open, and messages that they
 * speak of are those beside them, or those of the draft.
 */
export function paste(forms: Forms, draft: Draft, steps: StepJson[]): [Draft, string[]] {
  const names = new Map<string, string>();
  let next = draft;
  for (const step of steps) {
    const [grown, id] = add(next, step);
    next = grown;
    names.set(step.id, id);
  }
  const made = steps.map((step) => {
    const ways = new Set(waysOf(forms, step).map((way) => way.to));
    const nameOf = (id: string) => names.get(id) ?? (!ways.has(id) && stepOf(draft, id) ? id : "");
    return { ...named(forms, step, nameOf), id: names.get(step.id) ?? step.id };
  });
  return [{ ...draft, nodes: [...draft.nodes, ...made] }, made.map((one) => one.id)];
}

/** How many ways lead from one of these steps to another of them. */
export function waysBetween(forms: Forms, steps: StepJson[]): number {
  const inside = new Set(steps.map((one) => one.id));
  return steps.flatMap((one) => waysOf(forms, one)).filter((way) => inside.has(way.to)).length;
}

function freeName(draft: Draft, wanted: string): string {
  const stem = wanted.replace(/-\d+$/, "").replaceAll("_", "-").slice(0, 36);
  const taken = new Set(draft.nodes.map((one) => one.id));
  if (!taken.has(stem)) return stem;
  for (let number = 2; ; number += 1) if (!taken.has(`${stem}-${number}`)) return `${stem}-${number}`;
}

/** The steps that may lie on a way to this one. */
export function before(forms: Forms, draft: Draft, id: string): Set<string> {
  const found = new Set<string>();
  const open = [id];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const step of draft.nodes) {
      if (found.has(step.id) || !waysOf(forms, step).some((way) => way.to === at)) continue;
      found.add(step.id);
      open.push(step.id);
    }
  }
  return found;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
