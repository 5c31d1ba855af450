/** What a page shows instead of content: waiting, nothing there, an error with its details. */
import { Copy, OctagonX, RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError } from "@/api/client";
import { cx } from "@/lib/class";
import { copyText } from "@/lib/clipboard";
import { Button } from "./button";
import { toast } from "./toast";

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cx("skeleton h-4", className)} />;
}

export function SkeletonRows({ rows = 8 }: { rows?: number }) {
  return (
    <div role="status" aria-label="Loading" className="flex flex-col gap-4 p-4">
      {Array.from({ length: rows }, (_, index) => (
        <Skeleton
          key={`row-${index + 1}`}
          className={index % 3 === 0 ? "w-3/5" : index % 3 === 1 ? "w-4/5" : "w-2/5"}
        />
      ))}
    </div>
  );
}

export function Empty({
  icon,
  title,
  children,
  action,
}: {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center justify-center gap-2 px-6 py-16 text-center">
      {icon && <div className="mb-1 text-ink-3">{icon}</div>}
      <p className="text-section font-medium">{title}</p>
      {children && <div className="max-w-110 text-ink-2">{children}</div>}
      {action && <div className="mt-3 flex gap-2">{action}</div>}
    </div>
  );
}

/** What the server said against what was to be saved. */
export function Refusal({ error }: { error: Error | null }) {
  if (!error) return null;
  return (
    <div role="alert" className="rounded-card border border-failed/40 bg-failed-tint px-4 py-3">
      <p className="font-medium">The server refused it</p>
      <p className="mt-0.5 break-words text-ink-2">{error.message}</p>
    </div>
  );
}

export function Failure({ error, retry, title }: { error: unknown; retry?: () => void; title?: string }) {
  const message = error instanceof Error ? error.message : String(error);
  const details = error instanceof ApiError ? error.details : message;
  const missing = error instanceof ApiError && error.status === 404;
  return (
    <div
      role="alert"
      className="m-4 flex items-start gap-3 rounded-card border border-line bg-failed-tint p-4"
    >
      <OctagonX size={18} className="mt-0.5 shrink-0 text-failed" aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="font-medium text-ink">
          {title ?? (missing ? "This does not exist, or no longer" : "This could not be loaded")}
        </p>
        <p className="mt-0.5 break-words text-ink-2">{message}</p>
        <div className="mt-3 flex gap-2">
          {retry && !missing && (
            <Button small icon={<RotateCw size={13} />} onClick={retry}>
              Try again
            </Button>
          )}
          <Button
            small
            tone="ghost"
            icon={<Copy size={13} />}
            onClick={async () => {
              if (await copyText(details)) toast("Details copied");
            }}
          >
            Copy details
          </Button>
        </div>
      </div>
    </div>
  );
}
