/** The first minutes: a run at one press, or the same from Python. */
import { useNavigate } from "@tanstack/react-router";
import { Play } from "lucide-react";
import type { ReactNode } from "react";
import { useCreateRun } from "@/api/runs";
import { split } from "@/components/link";
import { Mark } from "@/components/shell/nav";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/time";
import { toastError } from "@/components/ui/toast";
import { runAddress } from "@/lib/addresses";
import { FIRST_PIPELINE, SAMPLE_SPEC } from "./sample";

export function GettingStarted() {
  const create = useCreateRun();
  const navigate = useNavigate();
  const host = new URL(".", document.baseURI.split("#")[0]).toString().replace(/\/$/, "");
  const program = FIRST_PIPELINE.replace("HOST", host);
  const start = () =>
    create.mutate(
      { display_name: "Sample run", pipeline_spec: SAMPLE_SPEC as unknown as Record<string, unknown> },
      {
        onError: toastError,
        onSuccess: (run) => navigate(split(runAddress(run.run_id, "tab=graph")) as never),
      },
    );
  return (
    <div className="mx-auto max-w-180 py-10">
      <Mark size={40} />
      <h2 className="mt-4 text-title font-semibold tracking-tight">Nothing has run here yet</h2>
      <p className="mt-1 text-ink-2">
        Start a sample and watch it, or send your own pipeline with the kfp client that you already have.
      </p>
      <Button
        tone="primary"
        className="mt-5"
        icon={<Play size={14} />}
        disabled={create.isPending}
        onClick={start}
      >
        Run sample
      </Button>
      <ol className="mt-10 flex flex-col gap-6">
        <Step number={1} title="Install KFP's SDK">
          <Code text="pip install kfp" />
        </Step>
        <Step number={2} title="Write a pipeline and send it">
          <Code text={program} />
        </Step>
        <Step number={3} title="Watch it">
          <p className="text-ink-2">
            It appears under Runs at once: its graph, its timeline, its logs while they are written.
          </p>
        </Step>
      </ol>
    </div>
  );
}

function Step({ number, title, children }: { number: number; title: string; children: ReactNode }) {
  return (
    <li className="flex gap-4">
      <span className="num flex size-6 shrink-0 items-center justify-center rounded-full bg-accent-tint text-label font-medium text-accent">
        {number}
      </span>
      <div className="min-w-0 flex-1">
        <p className="mb-2 font-medium">{title}</p>
        {children}
      </div>
    </li>
  );
}

function Code({ text }: { text: string }) {
  return (
    <div className="card relative">
      <pre tabIndex={0} className="overflow-x-auto px-4 py-3 font-mono text-label leading-5">
        {text}
      </pre>
      <CopyButton text={text} label="Copy" className="absolute top-2 right-2" />
    </div>
  );
}
