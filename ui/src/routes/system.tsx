import { SystemPage } from "@/components/system/system-page";

export const SystemRoute = () => <SystemPage />;
