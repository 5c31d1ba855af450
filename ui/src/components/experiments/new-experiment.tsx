/** A dialog that makes an experiment; after it one may go on to its first run, as KFP does. */
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useExperimentWrites } from "@/api/experiments";
import { split } from "@/components/link";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field, Input, Textarea } from "@/components/ui/field";
import { experimentAddress } from "@/lib/addresses";
import { useSearchAll } from "@/lib/search";

export function NewExperiment({ onClose }: { onClose: () => void }) {
  const search = useSearchAll();
  const navigate = useNavigate();
  const { create } = useExperimentWrites();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const submit = () => {
    if (!name.trim()) return;
    create.mutate(
      { display_name: name.trim(), ...(description.trim() && { description: description.trim() }) },
      {
        onSuccess: ({ experiment_id }) => {
          const pipeline = search.pipelineId ? `&pipelineId=${search.pipelineId}` : "";
          const target =
            search.firstRunInExperiment === "1" || pipeline
              ? `/runs/new?experimentId=${experiment_id}${pipeline}`
              : experimentAddress(experiment_id);
          navigate(split(target) as never);
        },
      },
    );
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title="New experiment"
      description="A place for runs that belong together."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="primary" disabled={!name.trim() || create.isPending} onClick={submit}>
            Create
          </Button>
        </>
      }
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Field label="Name" error={create.error?.message}>
          {(ids) => (
            <Input
              {...ids}
              className="w-full"
              maxLength={128}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label="Description" hint="optional">
          {(ids) => (
            <Textarea
              {...ids}
              rows={3}
              className="w-full"
              value={description}
              onChange={(event) => setDescription(event.target.value)}
            />
          )}
        </Field>
      </form>
    </Dialog>
  );
}
