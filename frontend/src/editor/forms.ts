// What the server says of each kind of step and trigger: which fields it has, and which ways lead on.

export type Option = { value: string; label: string };

export type FieldForm = {
  key: string;
  label: string;
  type: "choice" | "duration" | "text" | "flag" | "again" | "condition" | "values" | "names" | "message" | "either" | "number" | "clock" | "moment" | "weekdays" | "pick" | "where" | "reply";
  options: string;
  optional: boolean;
  hint: string;
  either: Option[];
  after: string;
};

export type WayForm = { key: string; label: string; optional: boolean; after: string };

export type KindForm = {
  kind: string;
  label: string;
  does: string;
  title: string;
  fields: FieldForm[];
  ways: WayForm[];
};

export type Forms = { kinds: KindForm[]; triggers: KindForm[]; options: Record<string, Option[]> };

export type Fields = { [key: string]: unknown };
export type StepJson = Fields & { id: string; kind: string };
export type Draft = { trigger: Fields & { kind: string }; start: string; nodes: StepJson[] };

export type Problem = { node: string; code: string; message: string };

/** The box above the first step. No step can have this id: ids have no capital letters. */
export const ENTRY = "TRIGGER";

export function formOf(forms: Forms, step: { kind: string }): KindForm {
  const found = forms.kinds.find((one) => one.kind === step.kind);
  return found ?? { kind: step.kind, label: step.kind, does: "", title: "", fields: [], ways: [] };
}

export function triggerForm(forms: Forms, draft: Draft): KindForm | undefined {
  return forms.triggers.find((one) => one.kind === draft.trigger.kind);
}

export function labelOf(forms: Forms, options: string, value: unknown): string {
  return forms.options[options]?.find((one) => one.value === value)?.label ?? "";
}

/** Whether a field or way is there yet: some come only after another one is set. */
export function isShown(form: { key: string; after: string }, values: Fields): boolean {
  return !form.after || values[form.after] !== undefined || values[form.key] !== undefined;
}
