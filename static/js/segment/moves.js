// Moving conditions about: by the keys, and by the same acts in each condition's menu.
"use strict";

const past = [];
const future = [];

function remember() {
  const now = JSON.stringify(writeTree(root));
  if (past.at(-1) !== now) { past.push(now); future.length = 0; }
  if (past.length > 100) past.shift();
  showHistory();
}

function showHistory() {
  document.querySelector("[data-undo]").disabled = past.length < 2;
  document.querySelector("[data-redo]").disabled = future.length === 0;
}

function step(from, to) {
  if (from === past ? past.length < 2 : future.length < 1) return;
  to.push(from.pop());
  setRoot(JSON.parse(past.at(-1)));
  showHistory();
  say(from === past ? "Undone" : "Done again");
}

const undo = () => step(past, future);
const redo = () => step(future, past);

function shift(node, by) {
  const parent = parentOf(node, root);
  if (!parent) return;
  const place = parent.parts.indexOf(node);
  const to = place + by;
  if (to >= 0 && to < parent.parts.length) {
    parent.parts.splice(place, 1);
    parent.parts.splice(to, 0, node);
    redraw(node, "handle");
    say(`Moved to place ${to + 1} of ${parent.parts.length}`);
    return;
  }
  // At the end of a group: on, out of it, to the place beside it.
  takeOut(node, by > 0 ? 1 : 0);
}

function takeOut(node, after = 1) {
  const parent = parentOf(node, root);
  const above = parent && parentOf(parent, root);
  if (!above) { say("It is in the outermost group already"); return; }
  parent.parts.splice(parent.parts.indexOf(node), 1);
  above.parts.splice(above.parts.indexOf(parent) + after, 0, node);
  if (parent.parts.length === 0) above.parts.splice(above.parts.indexOf(parent), 1);
  redraw(node, "handle");
  say("Taken out of its group");
}

function putIn(node) {
  const parent = parentOf(node, root);
  if (!parent) return;
  const place = parent.parts.indexOf(node);
  const before = parent.parts[place - 1];
  if (before?.kind === "group") {
    parent.parts.splice(place, 1);
    before.parts.push(node);
    say("Put into the group above");
  } else {
    parent.parts.splice(place, 1, group(parent.join === "any" ? "all" : "any", [node]));
    say("Put into a group of its own");
  }
  redraw(node, "handle");
}

function dissolve(node) {
  const parent = parentOf(node, root);
  if (!parent || node.kind !== "group") return;
  parent.parts.splice(parent.parts.indexOf(node), 1, ...node.parts);
  redraw(node.parts[0] ?? parent, "handle");
  say("The group is gone; its conditions stay");
}

function duplicate(node) {
  const parent = parentOf(node, root);
  if (!parent) return;
  const twin = readTree(JSON.parse(JSON.stringify(writeTree(node))));
  parent.parts.splice(parent.parts.indexOf(node) + 1, 0, twin);
  redraw(twin, twin.kind === "leaf" ? "subject" : "handle");
  say("Copied below");
}

// What was removed last leaves a line in its place, which puts it back whatever was done since.

let removed = null;

function wordsFor(node) {
  if (node.kind === "leaf") return `“${bySubject.get(node.subject).label}”`;
  if (node.kind === "raw") return "a condition";
  const counted = (one) => (one.kind === "group" ? one.parts.reduce((sum, part) => sum + counted(part), 0) : 1);
  const count = counted(node);
  return `a group of ${count} condition${count === 1 ? "" : "s"}`;
}

function putBack() {
  const { node, parent, place } = removed;
  removed = null;
  parent.parts.splice(Math.min(place, parent.parts.length), 0, node);
  redraw(node, "handle");
  say("Put back");
}

// The list's items, with the line where something was removed from it.
function withRemoved(parent, items) {
  if (removed?.parent !== parent) return items;
  const line = make("li", { class: "clause-removed" }, make("span", {}, `Removed ${wordsFor(removed.node)}`), button("Put back", "put-back", putBack));
  return items.toSpliced(Math.min(removed.place, items.length), 0, line);
}

function removeNode(node) {
  const parent = parentOf(node, root);
  if (!parent) return;
  const place = parent.parts.indexOf(node);
  parent.parts.splice(place, 1);
  removed = { node, parent, place };
  redraw(parent.parts[Math.min(place, parent.parts.length - 1)] ?? parent, parent.parts.length ? "handle" : "add");
  say(`Removed ${wordsFor(node)}. “Put back” stands in its place.`);
}

function turn(node) {
  node.not = !node.not;
  redraw(node, "not");
}

const MOVES = { ArrowUp: (node) => shift(node, -1), ArrowDown: (node) => shift(node, 1), ArrowRight: putIn, ArrowLeft: takeOut, Delete: removeNode };

// Anywhere in a condition with Alt and Shift; on its handle the arrows and Delete alone.
function onKey(event) {
  const holder = event.target.closest?.("[data-node]");
  const onHandle = event.target.matches?.("[data-part=handle]");
  const mod = event.ctrlKey || event.metaKey;
  if (mod && event.key.toLowerCase() === "z" && !event.target.matches("input, textarea")) {
    event.preventDefault();
    if (event.shiftKey) redo(); else undo();
    return;
  }
  const chord = event.altKey && event.shiftKey && !mod;
  const bare = onHandle && !event.altKey && !mod && !event.shiftKey;
  if (!holder || !(chord || bare)) return;
  const node = nodeByKey(holder.dataset.node, root);
  const act = MOVES[event.key] ?? (chord ? { n: (one) => addTo(one.kind === "group" ? one : parentOf(one, root) ?? root, newLeaf()), d: duplicate, x: turn }[event.key.toLowerCase()] : null);
  if (!act || !node) return;
  event.preventDefault();
  event.stopPropagation();
  if (node !== root || event.key.toLowerCase() === "n") act(node);
}
