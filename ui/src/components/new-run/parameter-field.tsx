/** The field of one parameter, by its type. */
import { RotateCcw } from "lucide-react";
import { Field, type FieldIds, Input, Select, Switch, Textarea } from "@/components/ui/field";
import { Tip } from "@/components/ui/tooltip";
import { type Entry, freshEntry, isChanged, read } from "@/lib/draft";
import { valueText } from "@/lib/format";
import type { Parameter } from "@/lib/spec";

const TYPES: Partial<Record<Parameter["type"], string>> = {
  STRING: "text",
  NUMBER_INTEGER: "whole number",
  NUMBER_DOUBLE: "number",
  BOOLEAN: "true or false",
  LIST: "list",
  STRUCT: "object",
};

interface Props {
  parameter: Parameter;
  entry: Entry;
  onChange: (entry: Entry) => void;
  /** Whether errors are shown before anything was typed. */
  strict: boolean;
  serverError?: string;
}

export function ParameterField({ parameter, entry, onChange, strict, serverError }: Props) {
  const reading = read(parameter, entry);
  const touched = entry.text !== freshEntry(parameter).text || entry.mode !== freshEntry(parameter).mode;
  const error = serverError ?? ("error" in reading && (strict || touched) ? reading.error : undefined);
  const changed = isChanged(parameter, entry);
  const canReset = parameter.hasDefault || parameter.isOptional;
  const defaultText = parameter.hasDefault
    ? valueText(parameter.defaultValue)
    : parameter.isOptional
      ? "none"
      : "";
  return (
    <Field
      label={parameter.name}
      error={error}
      hint={parameter.description}
      aside={
        <span className="flex min-w-0 flex-1 items-center gap-2 text-label text-ink-3">
          {TYPES[parameter.type]}
          {parameter.isOptional && ", optional"}
          {changed && (
            <span className="rounded-full bg-accent-tint px-1.5 text-caption text-accent">changed</span>
          )}
          <span className="flex-1" />
          {parameter.isOptional && (
            <label className="flex items-center gap-1.5">
              <input
                type="checkbox"
                className="accent-(--color-accent)"
                checked={entry.mode === "null"}
                onChange={(event) => onChange({ ...entry, mode: event.target.checked ? "null" : "default" })}
              />
              null
            </label>
          )}
          {canReset && entry.mode !== "default" && (
            <Tip text={`Back to the default: ${defaultText}`}>
              <button
                type="button"
                aria-label={`Default for ${parameter.name}`}
                className="hover:text-ink"
                onClick={() => onChange(freshEntry(parameter))}
              >
                <RotateCcw size={13} />
              </button>
            </Tip>
          )}
        </span>
      }
    >
      {(ids) => (
        <Control
          ids={ids}
          parameter={parameter}
          entry={entry}
          onChange={(text) => onChange({ mode: "value", text })}
        />
      )}
    </Field>
  );
}

interface ControlProps {
  ids: FieldIds;
  parameter: Parameter;
  entry: Entry;
  onChange: (text: string) => void;
}

function Control({ ids, parameter, entry, onChange }: ControlProps) {
  if (parameter.literals.length > 0)
    return <Literals ids={ids} parameter={parameter} entry={entry} onChange={onChange} />;
  const placeholder =
    entry.mode === "null" ? "null" : parameter.isOptional && !parameter.hasDefault ? "not given" : "";
  const text = entry.mode === "null" ? "" : entry.text;
  switch (parameter.type) {
    case "BOOLEAN":
      return (
        <span className="flex h-8 items-center gap-2.5">
          <Switch
            id={ids.id}
            label={parameter.name}
            checked={text.toLowerCase() === "true"}
            onChange={(on) => onChange(String(on))}
          />
          <span className="text-ink-2">{text.toLowerCase() === "true" ? "true" : "false"}</span>
        </span>
      );
    case "NUMBER_INTEGER":
    case "NUMBER_DOUBLE":
      return (
        <Input
          {...ids}
          inputMode={parameter.type === "NUMBER_INTEGER" ? "numeric" : "decimal"}
          className="num w-full"
          value={text}
          placeholder={placeholder}
          onChange={(event) => onChange(event.target.value)}
        />
      );
    case "LIST":
    case "STRUCT":
      return (
        <Textarea
          {...ids}
          className="field-sizing-content max-h-80 min-h-16 w-full font-mono text-label leading-5"
          spellCheck={false}
          value={text}
          placeholder={placeholder || (parameter.type === "LIST" ? "[]" : "{}")}
          onChange={(event) => onChange(event.target.value)}
        />
      );
    default:
      return (
        <Textarea
          {...ids}
          rows={1}
          className="field-sizing-content max-h-60 min-h-8 w-full"
          value={text}
          placeholder={placeholder}
          onChange={(event) => onChange(event.target.value)}
        />
      );
  }
}

/** Allowed values; a present value that is not among them stays visible. */
function Literals({ ids, parameter, entry, onChange }: ControlProps) {
  const options = parameter.literals.map((literal) =>
    typeof literal === "string" && parameter.type === "STRING" ? literal : JSON.stringify(literal),
  );
  const known = options.includes(entry.text);
  return (
    <Select {...ids} value={entry.text} onChange={(event) => onChange(event.target.value)}>
      {!known && <option value={entry.text}>{entry.text ? `${entry.text} (not allowed)` : "Choose…"}</option>}
      {options.map((option) => (
        <option key={option} value={option}>
          {option}
        </option>
      ))}
    </Select>
  );
}
