import {
  applyNodeChanges,
  Background,
  type Connection,
  Controls,
  type EdgeTypes,
  type NodeChange,
  type NodeTypes,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
} from "@xyflow/react";
import { type DragEvent, type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type Frame, frameOf, WHOLE } from "../canvas/frame";
import type { Point } from "../canvas/layout";
import { Acts, type Place } from "./acts";
import { Box } from "./Box";
import { add, firstFields, insert, lead, paste, remove, setFields, stepOf, waysBetween, waysOf } from "./draft";
import { type Box as BoxNode, draw } from "./drawing";
import { type Draft, ENTRY, type Fields, formOf, type Forms, type Problem } from "./forms";
import { Line } from "./Line";
import { Panel } from "./Panel";
import { check, save } from "./server";
import { useHistory } from "./useHistory";
import { type Marks, useClipboard, useMarks } from "./useMarks";
import { titleOf } from "./words";

const nodeTypes: NodeTypes = { box: Box };
const edgeTypes: EdgeTypes = { line: Line };
const words = {
  "node.a11yDescription.default": "Press Enter to edit the step, M to mark it for copying.",
  "node.a11yDescription.keyboardDisabled": "Press Enter to edit the step, M to mark it for copying.",
};
const GOAL = "goal";
const KIND = "application/x-attune-step";
const PAUSE = 350;
/** So many boxes are shown whole, and stay in the page while the view moves: what has the focus keeps it. Of more, the new one. */
const FITS = 12;

export type Given = { draft: Draft; forms: Forms; problems: Problem[]; seen: string; check: string; save: string };

export function Editor(given: Given & { token: string }) {
  return (
    <ReactFlowProvider>
      <Desk {...given} />
    </ReactFlowProvider>
  );
}

function Desk({ forms, token, ...given }: Given & { token: string }) {
  const history = useHistory(given.draft);
  const draft = history.now;
  const [chosen, choose] = useState<string>(ENTRY);
  const [place, offer] = useState<Place>();
  const [moved, move] = useState<ReadonlyMap<string, Point>>(new Map());
  const [copied, copy] = useClipboard();
  const marks = useMarks(draft);
  const before = useRef(chosen);
  const keeping = useKeeping(given, draft, token);
  const problems = useProblems(given.check, draft, given.problems, token);
  const { screenToFlowPosition, fitView } = useReactFlow();
  const root = useRef<HTMLDivElement>(null);

  const change = useCallback(
    (next: Draft, then?: string, said?: string) => {
      history.set(next);
      if (then !== undefined) choose(then);
      if (said) say(said);
    },
    [history.set],
  );
  const put = (kind: string, at: Place | undefined) => {
    // Nothing leads to a goal: it is reached from anywhere.
    const where = kind === GOAL ? undefined : (at ?? openEnd(forms, draft, chosen));
    const label = formOf(forms, { kind }).label;
    if (where) {
      const [next, id] = insert(forms, draft, kind, where.from, where.way);
      change(next, id, `${label} added`);
    } else {
      const [next, id] = add(draft, { id: kind, kind, ...firstFields(kind) });
      change(next, id, kind === GOAL ? `${label} added` : `${label} added, not connected yet`);
    }
    offer(undefined);
  };
  const takeOut = (at = chosen) => {
    const gone = marks.taken(at);
    if (!gone.length) return;
    const left = gone.reduce((made, one) => remove(forms, made, one.id), draft);
    change(left, ENTRY, `${stepsInWords(gone.length)} removed. Control Z brings ${gone.length === 1 ? "it" : "them"} back.`);
    marks.put([]);
    root.current?.focus(); // what had the focus is gone
  };
  const copyTaken = (at = chosen) => {
    const taken = marks.taken(at);
    copy(taken);
    if (taken.length) say(`${stepsInWords(taken.length)} copied`);
  };
  const pasteCopied = () => {
    if (!copied.length) return;
    const [next, ids] = paste(forms, draft, copied);
    const ways = waysBetween(forms, copied);
    const told = ways ? ` with ${ways} connection${ways === 1 ? "" : "s"} between them` : "";
    change(next, ids[0], `${stepsInWords(ids.length)} pasted${told}, not connected to the others yet`);
    marks.put(ids.length > 1 ? ids : []);
  };
  const turn = (id: string, besides?: string) => {
    marks.turn(id, besides);
    say(marks.ids.has(id) ? "Mark taken off" : "Marked");
  };
  const keys = (event: KeyboardEvent) => {
    if (isTyping(event.target)) return;
    const command = event.ctrlKey || event.metaKey;
    const at = boxAt(event.target) ?? chosen;
    const acts: Record<string, (() => void) | undefined> = {
      z: event.shiftKey ? history.redo : history.undo,
      y: history.redo,
      c: () => copyTaken(at),
      v: pasteCopied,
      a: () => { marks.all(); say(`${stepsInWords(draft.nodes.length)} marked`); },
      s: keeping.keep,
    };
    const plain: Record<string, (() => void) | undefined> = {
      delete: () => takeOut(at),
      m: event.altKey ? undefined : () => turn(at),
      escape: marks.ids.size ? () => { marks.put([]); say("No step marked"); } : undefined,
    };
    const act = (command ? acts : plain)[event.key.toLowerCase()];
    if (act) { event.preventDefault(); act(); }
  };
  const drop = (event: DragEvent) => {
    const kind = event.dataTransfer.getData(KIND);
    if (!kind) return;
    event.preventDefault();
    const plus = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>("[data-way]");
    if (plus) return put(kind, { from: plus.dataset.from ?? "", way: plus.dataset.way ?? "" });
    const [next, id] = add(draft, { id: kind, kind, ...firstFields(kind) });
    const { x, y } = screenToFlowPosition({ x: event.clientX, y: event.clientY });
    move(new Map(moved).set(id, { x: x - 128, y: y - 46 }));
    change(next, id, "Step added, not connected yet");
  };

  return (
    <Acts.Provider value={{ offer }}>
      <div className="editor" ref={root} tabIndex={-1} onKeyDown={keys}>
        <Toolbar history={history} keeping={keeping} problems={problems} tidy={() => { move(new Map()); setTimeout(() => fitView(WHOLE), 50); }} tidied={moved.size === 0} marks={marks} copy={marks.taken(chosen).length ? () => copyTaken() : undefined} paste={copied.length ? pasteCopied : undefined} copied={copied.length} />
        <div className="editor-desk">
          <Palette forms={forms} put={(kind) => put(kind, undefined)} />
          <div className="canvas editor-canvas" role="group" aria-label="The draft, drawn. Every step can also be chosen and changed in the form beside it." onPointerDownCapture={() => { before.current = chosen; }} onDragOver={(event) => event.preventDefault()} onDrop={drop}>
            <Drawing
              drawn={useMemo(() => draw(forms, draft, problems.found, moved), [forms, draft, problems.found, moved])}
              chosen={chosen}
              marked={marks.ids}
              mark={(id) => turn(id, before.current)}
              choose={choose}
              connect={(from, way, to) => change(lead(draft, from, way, to), from, "Connected")}
              moveTo={(id, at) => move(new Map(moved).set(id, at))}
            />
          </div>
          <div className="editor-side">
            <Finder forms={forms} draft={draft} chosen={chosen} choose={choose} />
            <Panel
              forms={forms}
              draft={draft}
              id={stepOf(draft, chosen) ? chosen : ENTRY}
              problems={problems.found}
              change={(changes: Fields) => change(setFields(draft, chosen, changes))}
              lead={(way, to) => change(lead(draft, chosen, way, to))}
              set={(next, then) => change(next, then)}
              remove={() => takeOut()}
              copy={() => copyTaken()}
              marked={marks.ids}
              mark={() => turn(chosen)}
              grow={(way) => offer({ from: chosen, way })}
            />
          </div>
        </div>
        {place && <Offer kinds={forms.kinds.filter((one) => one.kind !== GOAL)} take={(kind) => put(kind, place)} close={() => offer(undefined)} />}
      </div>
    </Acts.Provider>
  );
}

function Drawing({ drawn, chosen, marked, mark, choose, connect, moveTo }: { drawn: ReturnType<typeof draw>; chosen: string; marked: ReadonlySet<string>; mark: (id: string) => void; choose: (id: string) => void; connect: (from: string, way: string, to: string) => void; moveTo: (id: string, at: Point) => void }) {
  const [boxes, setBoxes] = useState<BoxNode[]>([]);
  const named = [...marked].join(" ");
  useEffect(
    () =>
      setBoxes((before) => {
        // A box without its size is hidden until it is measured again, and what is hidden loses the focus.
        const sizes = new Map(before.map((box) => [box.id, box.measured]));
        return drawn.boxes.map((box) => {
          const measured = sizes.get(box.id);
          return { ...box, ...(measured && { measured }), selected: box.id === chosen, data: { ...box.data, marked: marked.has(box.id) } };
        });
      }),
    [drawn, chosen, named],
  );
  const frame = useMemo(() => frameOf(drawn.lines.flatMap(({ data }) => (data ? [data] : []))), [drawn]);
  const { fitView } = useReactFlow();
  const count = drawn.boxes.length;
  useEffect(() => {
    const timer = setTimeout(() => fitView(count > FITS ? { ...WHOLE, nodes: [{ id: chosen }] } : WHOLE), 30);
    return () => clearTimeout(timer);
    // Only another number of steps moves the view: choosing one must not.
  }, [count, fitView]);
  const changed = (changes: NodeChange<BoxNode | Frame>[]) => {
    setBoxes((before) => applyNodeChanges(changes as NodeChange<BoxNode>[], before));
    const picked = changes.find((one) => one.type === "select" && one.selected);
    if (picked?.type === "select") choose(picked.id);
  };
  return (
    <ReactFlow
      nodes={[...boxes, ...frame]}
      edges={drawn.lines}
      nodeTypes={nodeTypes}
      edgeTypes={edgeTypes}
      onNodesChange={changed}
      onNodeClick={(event, node) => event.shiftKey && mark(node.id)}
      onNodeDragStop={(_, node) => moveTo(node.id, node.position)}
      onConnect={(made: Connection) => made.sourceHandle && connect(made.source, made.sourceHandle, made.target)}
      isValidConnection={(made) => made.target !== ENTRY && made.source !== made.target}
      fitView
      fitViewOptions={WHOLE}
      minZoom={0.1}
      maxZoom={1.5}
      edgesFocusable={false}
      deleteKeyCode={null}
      multiSelectionKeyCode={null}
      selectionKeyCode={null}
      zoomOnScroll={false}
      preventScrolling={false}
      onlyRenderVisibleElements={count > FITS}
      ariaLabelConfig={words}
    >
      <Background gap={20} />
      <Controls showInteractive={false} fitViewOptions={WHOLE} />
    </ReactFlow>
  );
}

type Keeping = ReturnType<typeof useKeeping>;
type Problems = ReturnType<typeof useProblems>;

function Toolbar({ history, keeping, problems, tidy, tidied, marks, copy, paste, copied }: { history: { undo: (() => void) | undefined; redo: (() => void) | undefined }; keeping: Keeping; problems: Problems; tidy: () => void; tidied: boolean; marks: Marks; copy: (() => void) | undefined; paste: (() => void) | undefined; copied: number }) {
  const count = problems.found.length;
  return (
    <div className="editor-bar" role="toolbar" aria-label="Draft">
      <button type="button" className="button primary" disabled={!keeping.changed} aria-keyshortcuts="Control+S" onClick={keeping.keep}>Save the draft</button>
      <button type="button" className="button" disabled={!history.undo} aria-keyshortcuts="Control+Z" onClick={history.undo}>Undo</button>
      <button type="button" className="button" disabled={!history.redo} aria-keyshortcuts="Control+Shift+Z" onClick={history.redo}>Redo</button>
      <button type="button" className="button" disabled={!copy} aria-keyshortcuts="Control+C" onClick={copy}>Copy{marks.ids.size > 1 ? ` ${stepsInWords(marks.ids.size)}` : ""}</button>
      <button type="button" className="button" disabled={!paste} aria-keyshortcuts="Control+V" onClick={paste}>Paste{copied > 1 ? ` ${stepsInWords(copied)}` : ""}</button>
      <button type="button" className="button" disabled={tidied} onClick={tidy}>Tidy up</button>
      <p className="editor-state" role="status">
        {marks.ids.size > 0 && `${stepsInWords(marks.ids.size)} marked. `}
        {keeping.refusal || (keeping.changed ? "Not saved yet." : "Saved.")}{" "}
        {problems.unknown ? "Not checked: the server cannot be reached." : count ? `${count} to mend before it can go live.` : "Nothing keeps it from going live."}
      </p>
    </div>
  );
}

function Palette({ forms, put }: { forms: Forms; put: (kind: string) => void }) {
  return (
    <div className="editor-palette" role="toolbar" aria-label="Add a step after the chosen one" aria-orientation="vertical">
      {forms.kinds.map((one) => (
        <button key={one.kind} type="button" className={`button editor-kind canvas-step-${one.kind}`} title={one.does} draggable onDragStart={(event) => event.dataTransfer.setData(KIND, one.kind)} onClick={() => put(one.kind)}>
          {one.label}
        </button>
      ))}
    </div>
  );
}

function Finder({ forms, draft, chosen, choose }: { forms: Forms; draft: Draft; chosen: string; choose: (id: string) => void }) {
  return (
    <div className="field">
      <label htmlFor="editor-find">Step</label>
      <select id="editor-find" value={chosen} onChange={(event) => choose(event.target.value)}>
        <option value={ENTRY}>What lets people in</option>
        {draft.nodes.map((one) => <option key={one.id} value={one.id}>{titleOf(forms, one)} ({one.id})</option>)}
      </select>
    </div>
  );
}

/** Which kind of step comes here: opened by a plus, closed by Escape, back to where one was. */
function Offer({ kinds, take, close }: { kinds: Forms["kinds"]; take: (kind: string) => void; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="editor-offer" aria-labelledby="editor-offer-title" onClose={close}>
      <h2 id="editor-offer-title">Which step comes here?</h2>
      <ul>
        {kinds.map((one) => (
          <li key={one.kind}>
            <button type="button" className={`button editor-kind canvas-step-${one.kind}`} onClick={() => take(one.kind)}>
              {one.label}
              <span className="muted">{one.does}</span>
            </button>
          </li>
        ))}
      </ul>
      <button type="button" className="button" onClick={() => dialog.current?.close()}>Cancel</button>
    </dialog>
  );
}

/** Where a new step goes when nobody says: on the chosen step's first open way, else on its first. */
function openEnd(forms: Forms, draft: Draft, chosen: string): Place | undefined {
  const step = stepOf(draft, chosen);
  if (!step) return { from: ENTRY, way: "start" };
  const ways = waysOf(forms, step);
  const way = ways.find((one) => !stepOf(draft, one.to)) ?? ways[0];
  return way && { from: step.id, way: way.key };
}

function useProblems(address: string, draft: Draft, first: Problem[], token: string) {
  const [found, find] = useState(first);
  const [unknown, lose] = useState(false);
  const begun = useRef(false);
  useEffect(() => {
    if (!begun.current) { begun.current = true; return; }
    const stop = new AbortController();
    const timer = setTimeout(() => {
      check(address, draft, token, stop.signal)
        .then((problems) => { find(problems); lose(false); })
        .catch(() => stop.signal.aborted || lose(true));
    }, PAUSE);
    return () => { clearTimeout(timer); stop.abort(); };
  }, [address, draft, token]);
  return { found, unknown };
}

function useKeeping(given: { save: string; draft: Draft; seen: string }, draft: Draft, token: string) {
  const [kept, keepOf] = useState({ draft: given.draft, seen: given.seen });
  const [refusal, refuse] = useState("");
  const changed = draft !== kept.draft;
  useEffect(() => {
    document.querySelector("[data-publish]")?.toggleAttribute("disabled", changed);
    if (!changed) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [changed]);
  const keep = async () => {
    const answer = await save(given.save, draft, kept.seen, token);
    refuse(answer.refusal ?? "");
    if (!answer.kept) return;
    keepOf({ draft, seen: answer.kept.seen });
    document.querySelector("[data-publish]")?.toggleAttribute("hidden", answer.kept.problems.length > 0);
  };
  return { changed, keep, refusal };
}

function stepsInWords(count: number): string {
  return `${count} step${count === 1 ? "" : "s"}`;
}

/** The box that has the focus. */
function boxAt(target: EventTarget): string | undefined {
  return target instanceof Element ? target.closest<HTMLElement>(".react-flow__node")?.dataset.id : undefined;
}

function isTyping(target: EventTarget): boolean {
  return target instanceof HTMLElement && target.closest("input, select, textarea, dialog") !== null;
}

function say(words: string): void {
  const status = document.getElementById("announce");
  if (status) status.textContent = words;
}
