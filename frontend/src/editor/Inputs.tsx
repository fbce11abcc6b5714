import { useId, useState } from "react";
import { type FieldForm, type Fields, type Forms, formOf, type Option, type StepJson } from "./forms";
import { isFields } from "./draft";
import { titleOf, UNITS } from "./words";

type Given = { field: FieldForm; values: Fields; forms: Forms; senders: StepJson[]; change: (changes: Fields) => void };

/** One field of a step or trigger, as the server's form describes it. */
export function Input(given: Given) {
  const { field, values, change } = given;
  const id = useId();
  const value = values[field.key];
  const described = field.hint ? `${id}-hint` : undefined;
  const label = (
    <>
      <label htmlFor={id}>{field.label}{field.optional && <span className="muted"> (optional)</span>}</label>
      {field.hint && <p className="hint" id={described}>{field.hint}</p>}
    </>
  );
  switch (field.type) {
    case "choice":
      return <div className="field">{label}<Choice id={id} describedby={described} options={given.forms.options[field.options] ?? []} value={value} set={(next) => change({ [field.key]: next })} /></div>;
    case "duration":
      return <Duration {...given} />;
    case "flag":
      return (
        <div className="field check">
          <input id={id} type="checkbox" checked={value === true} aria-describedby={described} onChange={(event) => change({ [field.key]: event.target.checked || undefined })} />
          {label}
        </div>
      );
    case "again":
      return <Again {...given} />;
    case "pick":
      return <div className="field">{label}<Choice id={id} describedby={described} options={field.either} value={value} set={(next) => change({ [field.key]: next })} /></div>;
    case "number":
      return <div className="field">{label}<input id={id} type="number" min="1" step="1" inputMode="numeric" aria-describedby={described} value={typeof value === "number" ? value : ""} onChange={(event) => change({ [field.key]: event.target.value === "" ? undefined : Math.max(1, Math.trunc(Number(event.target.value))) })} /></div>;
    case "clock":
      return <div className="field">{label}<input id={id} type="time" aria-describedby={described} value={typeof value === "string" ? value : ""} onChange={(event) => change({ [field.key]: event.target.value || undefined })} /></div>;
    case "moment":
      return <div className="field">{label}<input id={id} type="datetime-local" aria-describedby={described} value={typeof value === "string" ? value : ""} onChange={(event) => change({ [field.key]: event.target.value || undefined })} /></div>;
    case "weekdays":
      return <Weekdays {...given} />;
    case "reply":
      return <Reply {...given} />;
    case "where":
      return <Where {...given} />;
    case "message":
      return <div className="field">{label}<Choice id={id} describedby={described} options={messages(given)} value={value} set={(next) => change({ [field.key]: next })} /></div>;
    case "either":
      return <Either {...given} />;
    case "condition":
      return <Condition {...given} />;
    case "values":
      return <Values {...given} />;
    case "names":
      return <div className="field">{label}<Words id={id} describedby={described} value={Array.isArray(value) ? value.join(", ") : ""} set={(text) => change({ [field.key]: listed(text) })} /></div>;
    default:
      return (
        <div className="field">
          {label}
          <Words id={id} describedby={described} value={typeof value === "string" ? value : ""} options={given.forms.options[field.options] ?? []} set={(text) => change({ [field.key]: text || undefined })} />
        </div>
      );
  }
}

const DAYS: Option[] = [
  { value: "mon", label: "Monday" },
  { value: "tue", label: "Tuesday" },
  { value: "wed", label: "Wednesday" },
  { value: "thu", label: "Thursday" },
  { value: "fri", label: "Friday" },
  { value: "sat", label: "Saturday" },
  { value: "sun", label: "Sunday" },
];

function Weekdays({ field, values, change }: Given) {
  const id = useId();
  const value = values[field.key];
  const held: unknown[] = Array.isArray(value) ? value : [];
  const turn = (day: string, on: boolean) => {
    const next = DAYS.map((one) => one.value).filter((one) => (one === day ? on : held.includes(one)));
    change({ [field.key]: next.length ? next : undefined });
  };
  return (
    <fieldset className="field">
      <legend>{field.label}<span className="muted"> (optional)</span></legend>
      {field.hint && <p className="hint">{field.hint}</p>}
      {DAYS.map((day) => (
        <div key={day.value} className="field check">
          <input id={`${id}-${day.value}`} type="checkbox" checked={held.includes(day.value)} onChange={(event) => turn(day.value, event.target.checked)} />
          <label htmlFor={`${id}-${day.value}`}>{day.label}</label>
        </div>
      ))}
    </fieldset>
  );
}

/** Whether the same person comes in again: a word, or the time that must have passed. */
function Again(given: Given) {
  const { field, values, change } = given;
  const id = useId();
  const value = values[field.key];
  const chosen = isFields(value) ? "period" : typeof value === "string" ? value : "";
  const choose = (next: string) => change({ [field.key]: next === "period" ? { days: 30 } : next || undefined });
  return (
    <>
      <div className="field">
        <label htmlFor={id}>{field.label}</label>
        <select id={id} value={chosen} onChange={(event) => choose(event.target.value)}>
          {field.either.map((one) => <option key={one.value} value={one.value}>{one.label}</option>)}
        </select>
      </div>
      {chosen === "period" && <Duration {...given} field={{ ...field, label: "After", hint: "Since the person came in last.", optional: false }} />}
    </>
  );
}

/** Conditions on what an event says: this property is this text. Others are edited as JSON. */
function Where({ field, values, change }: Given) {
  const id = useId();
  const value = values[field.key];
  const held: Fields[] = Array.isArray(value) ? value.filter(isFields) : [];
  const put = (next: Fields[]) => change({ [field.key]: next.length ? next : undefined });
  return (
    <fieldset className="field">
      <legend>{field.label}<span className="muted"> (optional)</span></legend>
      {held.map((one, at) => {
        const set = (changes: Fields) => put(held.map((each, place) => (place === at ? { ...each, ...changes } : each)));
        return (
          <div key={at} className="editor-value">
            <label htmlFor={`${id}-${at}-name`}>Property {at + 1}</label>
            <Words id={`${id}-${at}-name`} value={String(one.property ?? "")} set={(property) => set({ property })} />
            <label htmlFor={`${id}-${at}-value`}>is</label>
            <Words id={`${id}-${at}-value`} value={String(one.value ?? "")} set={(text) => set({ value: text })} />
            <button type="button" className="button small" onClick={() => put(held.filter((_, place) => place !== at))}>Remove<span className="hidden-text"> condition {at + 1}</span></button>
          </div>
        );
      })}
      <button type="button" className="button small" onClick={() => put([...held, { property: "", op: "equals", value: "" }])}>Add a condition</button>
    </fieldset>
  );
}

/** What an answer says: a status, a value at a place of its JSON, or both. */
function Reply({ field, values, change }: Given) {
  const id = useId();
  const value = values[field.key];
  const held: Fields = isFields(value) ? value : {};
  const set = (changes: Fields) => {
    const next = Object.fromEntries(Object.entries({ ...held, ...changes }).filter(([, one]) => one !== undefined));
    change({ [field.key]: Object.keys(next).length ? next : undefined });
  };
  return (
    <fieldset className="field">
      <legend>{field.label}<span className="muted"> (optional)</span></legend>
      <label htmlFor={`${id}-at`}>At this place of the answer</label>
      <Words id={`${id}-at`} value={String(held.at ?? "")} set={(at) => set({ at: at || undefined, is: at ? held.is ?? "" : undefined })} />
      <label htmlFor={`${id}-is`}>stands</label>
      <Words id={`${id}-is`} value={String(held.is ?? "")} set={(text) => set({ is: meant(text) })} />
      <label htmlFor={`${id}-status`}>With the status</label>
      <input id={`${id}-status`} type="number" min="100" max="599" step="1" inputMode="numeric" value={typeof held.status === "number" ? held.status : ""} onChange={(event) => set({ status: event.target.value === "" ? undefined : Math.trunc(Number(event.target.value)) })} />
    </fieldset>
  );
}

/** A word that stands for a yes, a no or a number means that; in quotes it is the word itself. */
function meant(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  return /^".*"$/.test(text) ? text.slice(1, -1) : text;
}

function listed(text: string): string[] | undefined {
  const names = text.split(/[\s,]+/).filter(Boolean);
  return names.length ? names : undefined;
}

type Chosen = { id: string; describedby?: string | undefined; options: Option[]; value: unknown; set: (next: string | undefined) => void };

function Choice({ id, describedby, options, value, set }: Chosen) {
  const known = value === undefined || options.some((one) => one.value === value);
  return (
    <select id={id} aria-describedby={describedby} value={String(value ?? "")} onChange={(event) => set(event.target.value || undefined)}>
      <option value="">Choose</option>
      {!known && <option value={String(value)}>Not there any more</option>}
      {options.map((one) => <option key={one.value} value={one.value}>{one.label}</option>)}
    </select>
  );
}

/** A text that becomes a change when it is left, so that one word is one thing to undo. */
function Words({ id, describedby, value, options = [], set }: { id: string; describedby?: string | undefined; value: string; options?: Option[]; set: (text: string) => void }) {
  const [typed, type] = useState<string>();
  const list = options.length ? `${id}-list` : undefined;
  const leave = () => {
    if (typed !== undefined && typed.trim() !== value) set(typed.trim());
    type(undefined);
  };
  return (
    <>
      <input id={id} type="text" list={list} aria-describedby={describedby} value={typed ?? value} onChange={(event) => type(event.target.value)} onBlur={leave} onKeyDown={(event) => event.key === "Enter" && leave()} />
      {list && <datalist id={list}>{options.map((one) => <option key={one.value} value={one.value}>{one.label}</option>)}</datalist>}
    </>
  );
}

function Duration({ field, values, change }: Given) {
  const id = useId();
  const value = values[field.key];
  const held: Fields = isFields(value) ? value : {};
  const unit = UNITS.find((one) => held[one] !== undefined) ?? "days";
  const set = (count: string, of: string) => {
    const { [unit]: _, ...others } = held;
    const next = count === "" ? others : { ...others, [of]: Math.max(0, Math.trunc(Number(count))) };
    change({ [field.key]: Object.keys(next).length ? next : undefined });
  };
  return (
    <fieldset className="field editor-duration">
      <legend>{field.label}{field.optional && <span className="muted"> (optional)</span>}</legend>
      {field.hint && <p className="hint">{field.hint}</p>}
      <label className="hidden-text" htmlFor={id}>Number</label>
      <input id={id} type="number" min="1" max="600000" step="1" inputMode="numeric" value={String(held[unit] ?? "")} onChange={(event) => set(event.target.value, unit)} />
      <label className="hidden-text" htmlFor={`${id}-unit`}>Unit</label>
      <select id={`${id}-unit`} value={unit} onChange={(event) => set(String(held[unit] ?? 1), event.target.value)}>
        {UNITS.map((one) => <option key={one}>{one}</option>)}
      </select>
    </fieldset>
  );
}

function messages({ senders, forms }: Given): Option[] {
  return senders.map((step) => ({ value: step.id, label: titleOf(forms, step) }));
}

function Either({ field, values, forms, change }: Given) {
  const id = useId();
  const way = field.either.find((one) => one.value in values)?.value ?? field.either[0]?.value ?? "";
  const others = field.either.filter((one) => one.value !== way).map((one) => [one.value, undefined]);
  const set = (next: string, value: unknown) => change({ ...Object.fromEntries(field.either.map((one) => [one.value, undefined])), [next]: value });
  return (
    <fieldset className="field">
      <legend>{field.label}</legend>
      <label className="hidden-text" htmlFor={id}>What to do</label>
      <select id={id} value={way} onChange={(event) => set(event.target.value, values[way])}>
        {field.either.map((one) => <option key={one.value} value={one.value}>{one.label}</option>)}
      </select>
      <label className="hidden-text" htmlFor={`${id}-what`}>{field.label}</label>
      <Choice id={`${id}-what`} options={forms.options[field.options] ?? []} value={values[way]} set={(next) => change({ ...Object.fromEntries(others), [way]: next })} />
    </fieldset>
  );
}

/** Several of the options, as a list; none of them is no list. */
function Several({ legend, options, value, set }: { legend: string; options: Option[]; value: unknown; set: (next: string[] | undefined) => void }) {
  const id = useId();
  const held: unknown[] = Array.isArray(value) ? value : [];
  const turn = (name: string, on: boolean) => {
    const next = options.map((one) => one.value).filter((one) => (one === name ? on : held.includes(one)));
    set(next.length ? next : undefined);
  };
  return (
    <fieldset className="field">
      <legend>{legend}</legend>
      {options.map((one) => (
        <div key={one.value} className="field check">
          <input id={`${id}-${one.value}`} type="checkbox" checked={held.includes(one.value)} onChange={(event) => turn(one.value, event.target.checked)} />
          <label htmlFor={`${id}-${one.value}`}>{one.label}</label>
        </div>
      ))}
    </fieldset>
  );
}

const ASKED: Option[] = [
  { value: "segment", label: "Is in a segment" },
  { value: "engagement", label: "Did something with a message" },
  { value: "forecast", label: "Would be reached by" },
];

function Condition(given: Given) {
  const { field, values, forms, change } = given;
  const id = useId();
  const value = values[field.key];
  const held: Fields = isFields(value) ? value : {};
  const written = Object.keys(held).length > 0 && !("segment" in held) && !("of" in held) && !("event" in held) && !("forecast" in held) && !("purpose" in held) && !("classes" in held);
  const [kind, ask] = useState("of" in held || "event" in held ? "engagement" : "forecast" in held || "purpose" in held ? "forecast" : "segment");
  const set = (next: Fields) => change({ [field.key]: Object.fromEntries(Object.entries(next).filter(([, one]) => one !== undefined)) });
  if (written) return <p className="hint">This step holds conditions of its own. Edit them as JSON, or save them as a segment and name that here.</p>;
  return (
    <fieldset className="field">
      <legend>{field.label}</legend>
      <label className="hidden-text" htmlFor={id}>What is asked</label>
      <select id={id} value={kind} onChange={(event) => { ask(event.target.value); change({ [field.key]: undefined }); }}>
        {ASKED.map((one) => <option key={one.value} value={one.value}>{one.label}</option>)}
      </select>
      {kind === "segment" ? (
        <>
          <label className="hidden-text" htmlFor={`${id}-segment`}>Segment</label>
          <Choice id={`${id}-segment`} options={forms.options.segments ?? []} value={held.segment} set={(segment) => change({ [field.key]: segment ? { segment } : undefined })} />
        </>
      ) : kind === "forecast" ? (
        <>
          <Several legend="By one of these ways" options={forms.options.ways ?? []} value={held.forecast} set={(forecast) => set({ ...held, forecast })} />
          <label htmlFor={`${id}-purpose`}>A message for</label>
          <Choice id={`${id}-purpose`} options={forms.options.purposes ?? []} value={held.purpose} set={(purpose) => set({ ...held, purpose })} />
          <Several legend="That says of the person (nothing ticked: nothing)" options={forms.options.classes ?? []} value={held.classes} set={(classes) => set({ ...held, classes })} />
        </>
      ) : (
        <>
          <label htmlFor={`${id}-event`}>What</label>
          <Choice id={`${id}-event`} options={forms.options.engagement ?? []} value={held.event} set={(event) => set({ ...held, event })} />
          <label htmlFor={`${id}-of`}>With the message of</label>
          <Choice id={`${id}-of`} options={messages(given)} value={held.of} set={(of) => set({ ...held, of })} />
        </>
      )}
    </fieldset>
  );
}

function Values({ field, values, forms, change }: Given) {
  const id = useId();
  const value = values[field.key];
  const held: Fields = isFields(value) ? value : {};
  const put = (next: Fields) => change({ [field.key]: Object.keys(next).length ? next : undefined });
  const free = (forms.options[field.options] ?? []).filter((one) => !(one.value in held));
  return (
    <fieldset className="field">
      <legend>{field.label}</legend>
      {field.hint && <p className="hint">{field.hint}</p>}
      {Object.entries(held).map(([key, one]) => {
        const name = forms.options[field.options]?.find((option) => option.value === key)?.label ?? key;
        const { [key]: _, ...others } = held;
        return (
          <div key={key} className="editor-value">
            <label htmlFor={`${id}-${key}`}>{name}</label>
            <Words id={`${id}-${key}`} value={String(one)} set={(text) => put({ ...held, [key]: text })} />
            <button type="button" className="button small" onClick={() => put(others)}>Remove<span className="hidden-text"> {name}</span></button>
          </div>
        );
      })}
      <label htmlFor={`${id}-add`}>Add a field</label>
      <Choice id={`${id}-add`} options={free} value={undefined} set={(key) => key && put({ ...held, [key]: "" })} />
    </fieldset>
  );
}

export function kindLabel(forms: Forms, step: { kind: string }): string {
  return formOf(forms, step).label;
}
