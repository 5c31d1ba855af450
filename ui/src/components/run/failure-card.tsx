/** What went wrong, where, and what can be done about it. */
import { Copy, FileText, OctagonX, RotateCw } from "lucide-react";
import type { FailedTask, FailureNote } from "@/api/generated";
import { Link } from "@/components/link";
import { Button, buttonClass } from "@/components/ui/button";
import { toast } from "@/components/ui/toast";
import { runAddress } from "@/lib/addresses";
import { copyText } from "@/lib/clipboard";

/** Signals that people meet. */
const SIGNALS: Record<number, string> = {
  6: "SIGABRT",
  9: "SIGKILL, often out of memory",
  11: "SIGSEGV",
  15: "SIGTERM",
};

export function causeText(error: FailureNote | null): string {
  if (!error) return "";
  if (error.signal !== null)
    return `Ended by signal ${error.signal}${SIGNALS[error.signal] ? ` (${SIGNALS[error.signal]})` : ""}`;
  if (error.exit_code !== null) return `Exit code ${error.exit_code}`;
  return "";
}

interface Props {
  runId: string;
  failures: readonly FailedTask[];
  error: FailureNote | null;
  onRetry?: () => void;
}

export function FailureCard({ runId, failures, error, onRetry }: Props) {
  return (
    <section
      aria-label="What failed"
      className="overflow-hidden rounded-card border border-failed/40 bg-surface"
    >
      {failures.length === 0 && (
        <Head title="The run failed" message={error?.message ?? "No task says why."} onRetry={onRetry} />
      )}
      {failures.map((failure, index) => (
        <Failed
          key={failure.task_id}
          runId={runId}
          failure={failure}
          onRetry={index === 0 ? onRetry : undefined}
        />
      ))}
    </section>
  );
}

function Head({ title, message, onRetry }: { title: string; message: string; onRetry?: () => void }) {
  return (
    <div className="flex items-start gap-3 bg-failed-tint px-4 py-3">
      <OctagonX size={18} className="mt-0.5 shrink-0 text-failed" aria-hidden />
      <div className="min-w-0 flex-1">
        <h2 className="font-medium">{title}</h2>
        <p className="mt-0.5 break-words text-ink-2">{message}</p>
      </div>
      {onRetry && (
        <Button small icon={<RotateCw size={13} />} onClick={onRetry}>
          Retry
        </Button>
      )}
    </div>
  );
}

function Failed({ runId, failure, onRetry }: { runId: string; failure: FailedTask; onRetry?: () => void }) {
  const { traceback, error } = failure;
  const cause = causeText(error);
  const line = traceback ? `&line=${traceback.from_line}` : "";
  const task = encodeURIComponent(failure.path);
  return (
    <article className="border-t border-failed/40 first:border-t-0">
      <div className="flex items-start gap-3 bg-failed-tint px-4 py-3">
        <OctagonX size={18} className="mt-0.5 shrink-0 text-failed" aria-hidden />
        <div className="min-w-0 flex-1">
          <h2 className="font-medium">
            <Link to={runAddress(runId, `task=${task}`)} className="hover:underline">
              {failure.display_name}
            </Link>{" "}
            failed
            {failure.attempt > 1 && (
              <span className="font-normal text-ink-2"> at attempt {failure.attempt}</span>
            )}
          </h2>
          <p className="mt-0.5 font-mono text-label break-words text-failed">
            {traceback?.exception ?? error?.message ?? "It does not say why."}
          </p>
          {traceback && error && (
            <p className="mt-1 text-label text-ink-2">{[cause, error.message].filter(Boolean).join(" · ")}</p>
          )}
        </div>
        <div className="flex shrink-0 gap-2">
          <Link
            to={runAddress(runId, `task=${task}&panel=logs${line}`)}
            className={buttonClass("plain", true)}
          >
            <FileText size={13} />
            Log
          </Link>
          {onRetry && (
            <Button small icon={<RotateCw size={13} />} onClick={onRetry}>
              Retry
            </Button>
          )}
        </div>
      </div>
      {traceback && <TracebackText text={traceback.text} />}
    </article>
  );
}

export function TracebackText({ text }: { text: string }) {
  return (
    <div className="group relative">
      <pre
        tabIndex={0}
        className="max-h-72 overflow-auto px-4 py-3 font-mono text-label leading-5 text-ink-2"
      >
        {text}
      </pre>
      <Button
        small
        className="absolute top-2 right-3 opacity-0 group-hover:opacity-100 focus-visible:opacity-100"
        icon={<Copy size={13} />}
        onClick={async () => {
          if (await copyText(text)) toast("Traceback copied");
        }}
      >
        Copy
      </Button>
    </div>
  );
}
