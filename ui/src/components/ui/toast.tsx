/** Short notes at the lower edge; each also stands somewhere on the page, so missing one loses nothing. */
import { X } from "lucide-react";
import { useEffect, useSyncExternalStore } from "react";
import { IconButton } from "./button";

interface Note {
  id: number;
  text: string;
  tone: "plain" | "failed";
  action?: { label: string; run: () => void };
}

let notes: Note[] = [];
let next = 1;
const listeners = new Set<() => void>();

function publish(changed: Note[]): void {
  notes = changed;
  for (const each of listeners) each();
}

export function toast(text: string, options: Partial<Pick<Note, "tone" | "action">> = {}): void {
  const note: Note = { id: next, text, tone: options.tone ?? "plain", action: options.action };
  next += 1;
  publish([...notes.slice(-2), note]);
}

export function toastError(error: unknown): void {
  toast(error instanceof Error ? error.message : String(error), { tone: "failed" });
}

const dismiss = (id: number) => publish(notes.filter((note) => note.id !== id));

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => notes,
  );
  return (
    <section
      aria-label="Notes"
      aria-live="polite"
      className="fixed right-4 bottom-4 z-60 flex flex-col gap-2"
    >
      {shown.map((note) => (
        <Toast key={note.id} note={note} />
      ))}
    </section>
  );
}

function Toast({ note }: { note: Note }) {
  useEffect(() => {
    const timer = setTimeout(() => dismiss(note.id), note.tone === "failed" ? 12_000 : 6000);
    return () => clearTimeout(timer);
  }, [note]);
  return (
    <div className="floating flex max-w-110 items-center gap-3 rounded-card bg-raised py-2 pr-2 pl-4 shadow-float">
      <span className={note.tone === "failed" ? "text-failed" : "text-ink"}>{note.text}</span>
      {note.action && (
        <button
          type="button"
          className="link font-medium"
          onClick={() => {
            note.action?.run();
            dismiss(note.id);
          }}
        >
          {note.action.label}
        </button>
      )}
      <IconButton label="Dismiss" small onClick={() => dismiss(note.id)}>
        <X size={14} />
      </IconButton>
    </div>
  );
}
