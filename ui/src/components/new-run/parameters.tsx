/** The parameters of the form; from twelve on with a box that filters them. */
import { useState } from "react";
import { Section } from "@/components/shell/page";
import { Input } from "@/components/ui/field";
import { type Entry, isChanged } from "@/lib/draft";
import type { Parameter } from "@/lib/spec";
import { ParameterField } from "./parameter-field";

const MANY = 12;

interface Props {
  parameters: readonly Parameter[];
  entryOf: (parameter: Parameter) => Entry;
  onChange: (name: string, entry: Entry) => void;
  strict: boolean;
  /** What the server said; shown at the parameter that it names. */
  refusal?: string;
}

export function Parameters({ parameters, entryOf, onChange, strict, refusal }: Props) {
  const [filter, setFilter] = useState("");
  const changed = parameters.filter((parameter) => isChanged(parameter, entryOf(parameter))).length;
  const shown = parameters.filter((parameter) => parameter.name.toLowerCase().includes(filter.toLowerCase()));
  return (
    <Section
      title="Parameters"
      aside={
        <>
          {changed > 0 && <span className="text-label text-ink-3">{changed} changed</span>}
          {parameters.length >= MANY && (
            <Input
              aria-label="Filter parameters"
              placeholder="Filter"
              className="w-40"
              value={filter}
              onChange={(event) => setFilter(event.target.value)}
            />
          )}
        </>
      }
    >
      {parameters.length === 0 ? (
        <p className="px-4 py-3 text-ink-3">This pipeline has none.</p>
      ) : (
        <div className="flex flex-col gap-4 p-4">
          {shown.map((parameter) => (
            <ParameterField
              key={parameter.name}
              parameter={parameter}
              entry={entryOf(parameter)}
              strict={strict}
              serverError={
                refusal && new RegExp(`[\`"'“]${literal(parameter.name)}[\`"'”]`).test(refusal)
                  ? refusal
                  : undefined
              }
              onChange={(entry) => onChange(parameter.name, entry)}
            />
          ))}
        </div>
      )}
    </Section>
  );
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
