import { ComparePage } from "@/components/compare/compare-page";

export const CompareRoute = () => <ComparePage />;
