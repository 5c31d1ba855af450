/** What most runs leave alone. */
import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { Field, Input, Switch } from "@/components/ui/field";
import type { Draft, FormState } from "./form-state";

export function Advanced({ form, change }: { form: FormState; change: Draft["change"] }) {
  const [advanced, setAdvanced] = useState(false);
  return (
    <section className="card">
      <button
        type="button"
        aria-expanded={advanced}
        className="flex min-h-10 w-full items-center gap-2 px-4 font-medium"
        onClick={() => setAdvanced(!advanced)}
      >
        <ChevronRight size={14} className={advanced ? "rotate-90 text-ink-3" : "text-ink-3"} />
        Advanced
      </button>
      {advanced && (
        <div className="grid gap-4 border-t border-line p-4 md:grid-cols-2">
          <Field label="Pipeline root" hint="where artifacts go; empty means the server's place">
            {(ids) => (
              <Input
                {...ids}
                className="w-full font-mono"
                value={form.pipelineRoot}
                onChange={(event) => change({ pipelineRoot: event.target.value })}
              />
            )}
          </Field>
          <Field label="Service account" hint="for tasks in a cluster">
            {(ids) => (
              <Input
                {...ids}
                className="w-full"
                value={form.serviceAccount}
                onChange={(event) => change({ serviceAccount: event.target.value })}
              />
            )}
          </Field>
          <Field
            label="Use the cache"
            hint={
              form.caching
                ? "as the pipeline says"
                : "every task runs; the run then carries its own copy of the file"
            }
          >
            {(ids) => (
              <Switch
                id={ids.id}
                label="Use the cache"
                checked={form.caching}
                onChange={(caching) => change({ caching })}
              />
            )}
          </Field>
        </div>
      )}
    </section>
  );
}
