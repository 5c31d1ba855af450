/** What can be done with runs, with the questions before and the words after. Shared by list and run page. */
import { type ReactNode, useState } from "react";
import { type RunVerb, useRunAction } from "@/api/runs";
import { Confirm } from "@/components/ui/dialog";
import { toast, toastError } from "@/components/ui/toast";
import { count } from "@/lib/format";

interface Target {
  ids: readonly string[];
  /** Name of the only one. */
  name?: string;
}

const PAST: Record<RunVerb, string> = {
  retry: "is retried",
  terminate: "is being stopped",
  archive: "is archived",
  unarchive: "is restored",
  delete: "is deleted",
};

/** `act` does a thing at once, or asks first where something would be lost. */
export function useRunActions(onDone?: (verb: RunVerb) => void): {
  act: (verb: RunVerb, target: Target) => void;
  questions: ReactNode;
  pending: boolean;
} {
  const action = useRunAction();
  const [question, setQuestion] = useState<{ verb: "terminate" | "delete"; target: Target }>();

  const perform = (verb: RunVerb, target: Target) => {
    action.mutate(
      { verb, ids: target.ids },
      {
        onError: toastError,
        onSuccess: ({ done, refused }) => {
          const what = target.name && done === 1 ? `“${target.name}”` : count(done, "run");
          const undo =
            verb === "archive" || verb === "unarchive"
              ? { label: "Undo", run: () => perform(verb === "archive" ? "unarchive" : "archive", target) }
              : undefined;
          const words = done > 1 ? PAST[verb].replace(/^is /, "are ") : PAST[verb];
          toast(`${what} ${words}${refused ? `, ${refused} refused` : ""}`, { action: undo });
          onDone?.(verb);
        },
      },
    );
  };
  const act = (verb: RunVerb, target: Target) => {
    if (target.ids.length === 0) return;
    if (verb === "delete" || verb === "terminate") setQuestion({ verb, target });
    else perform(verb, target);
  };
  const many = (question?.target.ids.length ?? 0) > 1;
  const name = question?.target.name ?? count(question?.target.ids.length ?? 0, "run");
  const isDelete = question?.verb === "delete";
  return {
    act,
    pending: action.isPending,
    questions: (
      <Confirm
        key={question ? `${question.verb}${question.target.ids.join()}` : "none"}
        open={question !== undefined}
        onClose={() => setQuestion(undefined)}
        onConfirm={() => question && perform(question.verb, question.target)}
        title={`${isDelete ? "Delete" : "Terminate"} ${many ? name : `“${name}”`}?`}
        action={isDelete ? "Delete" : "Terminate"}
        typed={isDelete && many ? `delete ${question?.target.ids.length}` : undefined}
      >
        {isDelete
          ? "Records, logs and states are removed for good. Artifacts stay in the store."
          : "Tasks at work are asked to stop, and killed if they do not. What has finished is kept."}
      </Confirm>
    ),
  };
}
