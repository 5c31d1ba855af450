import { SettingsPage } from "@/components/system/settings-page";

export const SettingsRoute = () => <SettingsPage />;
