import { HomePage } from "@/components/home/home-page";

export const HomeRoute = () => <HomePage />;
