import { UploadForm } from "@/components/pipelines/upload-form";

export const UploadRoute = () => <UploadForm />;
