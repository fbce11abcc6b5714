import { createContext } from "react";

export type Place = { from: string; way: string };

/** What boxes and lines ask the editor to do. */
export const Acts = createContext<{ offer: (place: Place) => void }>({ offer: () => {} });
