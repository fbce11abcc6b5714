// A step in words: the title on its box, made of its fields as the server's form says.

import { type Draft, type FieldForm, type Fields, formOf, type Forms, labelOf, triggerForm } from "./forms";
import { isFields } from "./draft";

export const UNITS = ["minutes", "hours", "days", "weeks"] as const;

export function titleOf(forms: Forms, step: Fields & { kind: string }): string {
  const form = formOf(forms, step);
  return filled(forms, form.title, form.fields, step) || form.label;
}

export function entryTitle(forms: Forms, draft: Draft): string {
  const form = triggerForm(forms, draft);
  if (!form) return "Say what lets people in";
  return filled(forms, form.title, form.fields, draft.trigger) || form.label;
}

function filled(forms: Forms, pattern: string, fields: FieldForm[], step: Fields): string {
  return pattern.replace(/\{(\w+)\}/g, (_, key: string) => {
    const field = fields.find((one) => one.key === key);
    return field ? valueInWords(forms, field, step) : "";
  }).replace(/\s+/g, " ").trim();
}

function valueInWords(forms: Forms, field: FieldForm, step: Fields): string {
  const value = step[field.key];
  switch (field.type) {
    case "choice":
      if (field.optional && value === undefined) return "";
      return labelOf(forms, field.options, value) || `no ${field.label.toLowerCase()} yet`;
    case "text":
      if (field.optional && value === undefined) return "";
      return labelOf(forms, field.options, value) || String(value ?? "nothing yet");
    case "duration":
      if (field.optional) return value === undefined ? "" : `${lengthInWords(value)} ${field.key}`;
      return lengthInWords(value);
    case "either":
      return eitherInWords(forms, field, step);
    case "condition":
      if (field.optional && value === undefined) return "";
      return conditionInWords(forms, value);
    case "values":
      return isFields(value) ? `Set ${Object.keys(value).join(", ")}` : "";
    case "number":
    case "clock":
      return value === undefined ? "" : field.type === "clock" ? `${field.label.toLowerCase()} ${String(value)}` : String(value);
    case "moment":
      return typeof value === "string" ? value.replace("T", " ") : "";
    case "flag":
      return value === true ? "its date" : "";
    case "weekdays":
      return Array.isArray(value) ? `on ${value.join(", ")}` : "";
    case "pick":
      return field.either.find((one) => one.value === value)?.label ?? field.either[0]?.label ?? "";
    case "names":
      return Array.isArray(value) && value.length > 0 ? `clear ${value.join(", ")}` : "";
    default:
      return String(value ?? "");
  }
}

function eitherInWords(forms: Forms, field: FieldForm, step: Fields): string {
  const way = field.either.find((one) => one.value in step);
  if (!way) return "Choose a list";
  return `${way.label} ${labelOf(forms, field.options, step[way.value]) || "no list yet"}`;
}

function conditionInWords(forms: Forms, value: unknown): string {
  if (!isFields(value)) return "What is asked?";
  if (typeof value.event === "string") return `${labelOf(forms, "engagement", value.event) || value.event}?`;
  if (Array.isArray(value.forecast)) return `Reached by ${value.forecast.map((one) => labelOf(forms, "ways", one) || one).join(" or ")}?`;
  if ("segment" in value) return `In ${labelOf(forms, "segments", value.segment) || "a segment"}?`;
  return "Meets the conditions?";
}

export function lengthInWords(value: unknown): string {
  if (!isFields(value)) return "no time yet";
  const parts = UNITS.filter((unit) => value[unit]).map((unit) => {
    const count = Number(value[unit]);
    return `${count} ${count === 1 ? unit.slice(0, -1) : unit}`;
  });
  return parts.join(" ") || "no time yet";
}
