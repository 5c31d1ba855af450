/** A new pipeline or a new version of one: file, address or text. The server checks; its words are shown line by line. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { FileUp } from "lucide-react";
import { type DragEvent, useRef, useState } from "react";
import { pipelineQueries, usePipelineWrites } from "@/api/pipelines";
import { split } from "@/components/link";
import { PipelinePicker } from "@/components/new-run/pickers";
import { PageBody, PageHeader, Section } from "@/components/shell/page";
import { Button } from "@/components/ui/button";
import { Field, Input, Select, Textarea } from "@/components/ui/field";
import { pipelineAddress } from "@/lib/addresses";
import { cx } from "@/lib/class";
import { bytes } from "@/lib/format";
import { useSearchAll } from "@/lib/search";

const MOST_BYTES = 33_554_432;

type Way = "file" | "url" | "text";

function baseName(file: string): string {
  return file.replace(/\.(ya?ml|json|zip|tar\.gz|tgz)$/i, "");
}

export function UploadForm() {
  const search = useSearchAll();
  const navigate = useNavigate();
  const { upload } = usePipelineWrites();
  const [pipelineId, setPipelineId] = useState(search.pipelineId ?? "");
  const [pipelineName, setPipelineName] = useState("");
  const [asVersion, setAsVersion] = useState(Boolean(search.pipelineId));
  const [way, setWay] = useState<Way>("file");
  const [file, setFile] = useState<File>();
  const [url, setUrl] = useState("");
  const [text, setText] = useState("");
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const pipeline = useQuery({ ...pipelineQueries.pipeline(pipelineId), enabled: Boolean(pipelineId) });
  const known = pipelineName || pipeline.data?.display_name || pipeline.data?.name || "";

  const guessed =
    way === "file" && file
      ? baseName(file.name)
      : way === "url"
        ? baseName(url.split("/").at(-1) ?? "")
        : (text.match(/^\s*name:\s*([\w-]+)/m)?.[1] ?? "");
  const finalName =
    name.trim() ||
    (asVersion
      ? `${guessed || "version"} ${new Date().toISOString().slice(0, 16).replace("T", " ")}`
      : guessed);
  const tooLarge =
    file && file.size > MOST_BYTES
      ? `The file has ${bytes(file.size)}; at most 33.5 MB are taken.`
      : undefined;
  const hasSource = way === "file" ? file && !tooLarge : way === "url" ? url.trim() : text.trim();
  const ready = Boolean(hasSource && finalName && (!asVersion || pipelineId));

  const submit = () => {
    if (!ready) return;
    const source =
      way === "url"
        ? { url: url.trim() }
        : {
            file:
              way === "file" && file
                ? file
                : new File([text], /^\s*\{/.test(text) ? "pipeline.json" : "pipeline.yaml"),
          };
    upload.mutate(
      {
        pipelineId: asVersion ? pipelineId : undefined,
        name: finalName,
        description: description.trim() || undefined,
        source,
      },
      {
        onSuccess: (made) =>
          navigate(split(pipelineAddress(made.pipeline_id, made.pipeline_version_id)) as never),
      },
    );
  };
  return (
    <>
      <PageHeader
        title={asVersion ? "Upload a version" : "Upload a pipeline"}
        crumbs={[{ label: "Pipelines", to: "/pipelines" }]}
        actions={
          <Button tone="primary" disabled={!ready || upload.isPending} onClick={submit}>
            {upload.isPending ? "Uploading…" : "Upload"}
          </Button>
        }
      />
      <PageBody narrow>
        <div className="flex flex-col gap-4">
          {upload.isError && <Refusal message={upload.error.message} />}
          <Section title="File">
            <div className="flex flex-col gap-4 p-4">
              <div
                role="radiogroup"
                aria-label="Where the file comes from"
                className="flex gap-1 self-start rounded-control bg-sunken p-0.5"
              >
                {(["file", "url", "text"] as const).map((each) => (
                  <button
                    key={each}
                    type="button"
                    role="radio"
                    aria-checked={way === each}
                    className={cx(
                      "h-7 rounded-control px-3",
                      way === each
                        ? "bg-surface font-medium shadow-[0_1px_2px_rgb(0_0_0/0.1)]"
                        : "text-ink-2",
                    )}
                    onClick={() => setWay(each)}
                  >
                    {{ file: "File", url: "Address", text: "Paste" }[each]}
                  </button>
                ))}
              </div>
              {way === "file" && <Drop file={file} error={tooLarge} onFile={setFile} />}
              {way === "url" && (
                <Field label="Address" hint="The server fetches it.">
                  {(ids) => (
                    <Input
                      {...ids}
                      type="url"
                      className="w-full"
                      placeholder="https://…/pipeline.yaml"
                      value={url}
                      onChange={(event) => setUrl(event.target.value)}
                    />
                  )}
                </Field>
              )}
              {way === "text" && (
                <Field label="YAML or JSON">
                  {(ids) => (
                    <Textarea
                      {...ids}
                      rows={16}
                      spellCheck={false}
                      className="w-full font-mono text-label leading-5"
                      value={text}
                      onChange={(event) => setText(event.target.value)}
                    />
                  )}
                </Field>
              )}
            </div>
          </Section>
          <Section title="Where to">
            <div className="flex flex-col gap-4 p-4">
              <Field label="As">
                {(ids) => (
                  <Select
                    {...ids}
                    value={asVersion ? "version" : "pipeline"}
                    onChange={(event) => setAsVersion(event.target.value === "version")}
                  >
                    <option value="pipeline">a new pipeline</option>
                    <option value="version">a new version of a pipeline</option>
                  </Select>
                )}
              </Field>
              {asVersion && (
                <PipelinePicker
                  chosen={{ id: pipelineId || undefined, name: known }}
                  onChoose={(id, label) => {
                    setPipelineId(id);
                    setPipelineName(label);
                  }}
                />
              )}
              <Field
                label="Name"
                hint={name ? undefined : finalName && `Without a name it is called ${finalName}.`}
              >
                {(ids) => (
                  <Input
                    {...ids}
                    className="w-full"
                    maxLength={127}
                    value={name}
                    onChange={(event) => setName(event.target.value)}
                  />
                )}
              </Field>
              <Field label="Description" hint="optional">
                {(ids) => (
                  <Textarea
                    {...ids}
                    rows={2}
                    className="w-full"
                    value={description}
                    onChange={(event) => setDescription(event.target.value)}
                  />
                )}
              </Field>
            </div>
          </Section>
        </div>
      </PageBody>
    </>
  );
}

function Drop({
  file,
  error,
  onFile,
}: {
  file: File | undefined;
  error?: string;
  onFile: (file: File) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const dropped = event.dataTransfer.files[0];
    if (dropped) onFile(dropped);
  };
  return (
    <div>
      <button
        type="button"
        className={cx(
          "flex w-full flex-col items-center gap-2 rounded-card border border-dashed px-6 py-10 text-ink-2 hover:border-accent",
          over ? "border-accent bg-accent-tint" : "border-line-strong",
        )}
        onClick={() => input.current?.click()}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={onDrop}
      >
        <FileUp size={24} className="text-ink-3" />
        {file ? (
          <span>
            <span className="font-medium text-ink">{file.name}</span>, {bytes(file.size)}
          </span>
        ) : (
          <span>Drop a file here, or press to choose one. YAML, JSON, zip or tar.gz.</span>
        )}
      </button>
      <input
        ref={input}
        type="file"
        aria-label="Pipeline file"
        accept=".yaml,.yml,.json,.zip,.gz,.tgz"
        className="sr-only"
        tabIndex={-1}
        onChange={(event) => event.target.files?.[0] && onFile(event.target.files[0])}
      />
      {error && (
        <p role="alert" className="mt-1.5 text-label text-failed">
          {error}
        </p>
      )}
    </div>
  );
}

/** What the server found wrong; it names path and line of each problem. */
function Refusal({ message }: { message: string }) {
  const [first = "", ...rest] = message.split(/\n+/).filter(Boolean);
  return (
    <div role="alert" className="rounded-card border border-failed/40 bg-failed-tint px-4 py-3">
      <p className="font-medium">The server refused the file</p>
      <p className="mt-1 break-words">{first}</p>
      {rest.length > 0 && (
        <ul className="mt-2 flex flex-col gap-1 font-mono text-label">
          {rest.map((line) => (
            <li key={line} className="break-words whitespace-pre-wrap">
              {line}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
