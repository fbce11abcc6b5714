import { useCallback, useState } from "react";

const MOST = 200;

export type History<T> = {
  now: T;
  set: (next: T) => void;
  undo: (() => void) | undefined;
  redo: (() => void) | undefined;
};

/** A value with everything that it was before. */
export function useHistory<T>(first: T): History<T> {
  const [line, move] = useState({ past: [] as T[], now: first, next: [] as T[] });
  const set = useCallback(
    (next: T) => move(({ past, now }) => ({ past: [...past, now].slice(-MOST), now: next, next: [] })),
    [],
  );
  const undo = () =>
    move((line) => {
      const before = line.past[line.past.length - 1];
      if (before === undefined) return line;
      return { past: line.past.slice(0, -1), now: before, next: [line.now, ...line.next] };
    });
  const redo = () =>
    move((line) => {
      const [after, ...rest] = line.next;
      return after === undefined ? line : { past: [...line.past, line.now], now: after, next: rest };
    });
  return {
    now: line.now,
    set,
    undo: line.past.length ? undo : undefined,
    redo: line.next.length ? redo : undefined,
  };
}
