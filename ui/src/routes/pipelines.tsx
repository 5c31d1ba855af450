import { Upload } from "lucide-react";
import { Link } from "@/components/link";
import { PipelineList } from "@/components/pipelines/pipeline-list";
import { PageHeader } from "@/components/shell/page";
import { buttonClass } from "@/components/ui/button";

export function PipelinesRoute() {
  return (
    <>
      <PageHeader
        title="Pipelines"
        actions={
          <Link to="/pipeline_versions/new" className={buttonClass("primary")}>
            <Upload size={14} />
            Upload
          </Link>
        }
      />
      <PipelineList />
    </>
  );
}
