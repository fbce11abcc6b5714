import { useEffect, useId, useRef, useState } from "react";
import { before, rename, setTrigger, stepOf, waysOf } from "./draft";
import { type Draft, ENTRY, type Fields, formOf, type Forms, isShown, type Problem, type StepJson, triggerForm } from "./forms";
import { Input } from "./Inputs";
import { titleOf } from "./words";

type Given = {
  forms: Forms;
  draft: Draft;
  id: string;
  problems: Problem[];
  change: (changes: Fields) => void;
  lead: (way: string, to: string) => void;
  set: (draft: Draft, chosen?: string) => void;
  remove: () => void;
  copy: () => void;
  marked: ReadonlySet<string>;
  mark: () => void;
  grow: (way: string) => void;
};

/** Everything about the chosen step, as a form: what the mouse does on the drawing is all here. */
export function Panel(given: Given) {
  const { forms, draft, id, problems } = given;
  const step = stepOf(draft, id);
  const heading = useRef<HTMLHeadingElement>(null);
  if (id !== ENTRY && !step) return null;
  const wrong = problems.filter((one) => (id === ENTRY ? one.node === "" : one.node === id));
  return (
    <section className="editor-panel" aria-labelledby="editor-panel-title">
      <h2 id="editor-panel-title" ref={heading} tabIndex={-1}>{step ? formOf(forms, step).label : "What lets people in"}</h2>
      {step && <p className="muted">{formOf(forms, step).does}</p>}
      {wrong.length > 0 && (
        <div className="editor-faults" role="status">
          <ul>{wrong.map((one) => <li key={one.code + one.message}>{one.message}</li>)}</ul>
        </div>
      )}
      {step ? <StepForm {...given} step={step} /> : <TriggerForm {...given} />}
    </section>
  );
}

function TriggerForm({ forms, draft, change, set, lead }: Given) {
  const id = useId();
  const form = triggerForm(forms, draft);
  return (
    <>
      <div className="field">
        <label htmlFor={id}>People come in</label>
        <select id={id} value={draft.trigger.kind} onChange={(event) => set(setTrigger(draft, event.target.value))}>
          {forms.triggers.map((one) => <option key={one.kind} value={one.kind}>{one.label}</option>)}
        </select>
      </div>
      {form && <p className="muted">{form.does}</p>}
      {form?.fields.filter((field) => isShown(field, draft.trigger)).map((field) => (
        <Input key={`${form.kind} ${field.key}`} field={field} values={draft.trigger} forms={forms} senders={[]} change={change} />
      ))}
      <Lead label="First step" value={draft.start} draft={draft} forms={forms} besides="" set={(to) => lead("start", to)} />
    </>
  );
}

function StepForm(given: Given & { step: StepJson }) {
  const { forms, draft, step, change, lead, remove, copy, marked, mark, grow } = given;
  const several = marked.size > 1 ? ` ${marked.size} marked steps` : "";
  const form = formOf(forms, step);
  const earlier = before(forms, draft, step.id);
  const senders = draft.nodes.filter((one) => one.kind === "send" && earlier.has(one.id));
  return (
    <>
      {form.fields.filter((field) => isShown(field, step)).map((field) => (
        <Input key={`${step.id} ${field.key}`} field={field} values={step} forms={forms} senders={senders} change={change} />
      ))}
      {waysOf(forms, step).map((way) => (
        <div key={way.key} className="editor-lead">
          <Lead label={form.ways.length > 1 ? `Leads on: ${way.label}` : "Leads on to"} value={way.to} draft={draft} forms={forms} besides={step.id} set={(to) => lead(way.key, to)} />
          <button type="button" className="button small" onClick={() => grow(way.key)}>
            Add a step<span className="hidden-text"> after this one{form.ways.length > 1 ? `, ${way.label}` : ""}</span>
          </button>
        </div>
      ))}
      <Name {...given} />
      <div className="form-actions">
        <button type="button" className="button" aria-pressed={marked.has(step.id)} aria-keyshortcuts="M" onClick={mark}>Mark</button>
        <button type="button" className="button" onClick={copy}>Copy{several}</button>
        <button type="button" className="button danger" onClick={remove}>{several ? `Remove${several}` : "Remove the step"}</button>
      </div>
    </>
  );
}

function Lead({ label, value, draft, forms, besides, set }: { label: string; value: string; draft: Draft; forms: Forms; besides: string; set: (to: string) => void }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => set(event.target.value)}>
        <option value="">Nowhere yet</option>
        {draft.nodes.filter((one) => one.id !== besides).map((one) => (
          <option key={one.id} value={one.id}>{titleOf(forms, one)} ({one.id})</option>
        ))}
      </select>
    </div>
  );
}

function Name({ forms, draft, step, set }: Given & { step: StepJson }) {
  const id = useId();
  const [typed, type] = useState(step.id);
  const [refused, refuse] = useState(false);
  useEffect(() => { type(step.id); refuse(false); }, [step.id]);
  const leave = () => {
    if (typed === step.id) return refuse(false);
    const next = rename(forms, draft, step.id, typed);
    if (!next) return refuse(true);
    set(next, typed);
  };
  return (
    <div className="field">
      <label htmlFor={id}>Name of the step</label>
      <p className="hint" id={`${id}-hint`}>{refused ? "Another name: a letter first, then a-z, 0-9, - and _, and no other step's." : "Stands in reports and in the trail."}</p>
      <input id={id} type="text" maxLength={40} spellCheck={false} value={typed} aria-describedby={`${id}-hint`} aria-invalid={refused || undefined} onChange={(event) => type(event.target.value)} onBlur={leave} onKeyDown={(event) => event.key === "Enter" && leave()} />
    </div>
  );
}
