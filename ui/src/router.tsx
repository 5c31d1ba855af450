/**
 * All addresses. They are KFP's own, so that links printed by its SDK keep working; what KFP does not have (embed,
 * system, settings) stands beside them. Pages are loaded when they are first opened.
 */
import {
  createHashHistory,
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { NotFound } from "@/components/shell/not-found";
import { PageError } from "@/components/shell/page-error";
import { Shell } from "@/components/shell/shell";
import { parseSearch, type Search, stringifySearch } from "@/lib/search";
// The page that most addresses lead to comes with the first script, in one request.
import { ArchivedRunsRoute, RunsRoute } from "@/routes/runs";

const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  errorComponent: PageError,
  validateSearch: (search: Record<string, unknown>): Search => search as Search,
});

// biome-ignore lint/suspicious/noExplicitAny: the loader's modules have different components
type Module = () => Promise<Record<string, any>>;

function page(path: string, load: Module, name: string) {
  return createRoute({
    getParentRoute: () => root,
    path,
    component: lazyRouteComponent(load, name),
  });
}

function moved(
  path: string,
  to: (params: Record<string, string>, search: Search) => { to: string; search?: Search },
) {
  return createRoute({
    getParentRoute: () => root,
    path,
    beforeLoad: ({ params, search }) => {
      throw redirect({ ...to(params as Record<string, string>, search as Search), replace: true } as never);
    },
  });
}

const runPage = () => import("@/routes/run");
const artifactPage = () => import("@/routes/artifact");
const pipelinePage = () => import("@/routes/pipeline");

const routes = [
  page("/", () => import("@/routes/home"), "HomeRoute"),
  moved("/start", () => ({ to: "/" })),
  createRoute({ getParentRoute: () => root, path: "/runs", component: RunsRoute }),
  createRoute({ getParentRoute: () => root, path: "/archive/runs", component: ArchivedRunsRoute }),
  page("/runs/new", () => import("@/routes/new-run"), "NewRunRoute"),
  page("/runs/details/$runId", runPage, "RunRoute"),
  page("/runs/details/$runId/execution/$executionId", runPage, "RunExecutionRoute"),
  page("/pipelines", () => import("@/routes/pipelines"), "PipelinesRoute"),
  moved("/shared/pipelines", () => ({ to: "/pipelines" })),
  page("/pipelines/details", pipelinePage, "PipelineFromRoute"),
  page("/pipelines/details/$pipelineId", pipelinePage, "PipelineRoute"),
  page("/pipelines/details/$pipelineId/version/$versionId", pipelinePage, "PipelineRoute"),
  page("/pipeline_versions/new", () => import("@/routes/upload"), "UploadRoute"),
  page("/experiments", () => import("@/routes/experiments"), "ExperimentsRoute"),
  page("/archive/experiments", () => import("@/routes/experiments"), "ArchivedExperimentsRoute"),
  page("/experiments/new", () => import("@/routes/experiments"), "NewExperimentRoute"),
  page("/experiments/details/$experimentId", () => import("@/routes/experiment"), "ExperimentRoute"),
  page("/recurringruns", () => import("@/routes/schedules"), "SchedulesRoute"),
  page("/recurringrun/details/$scheduleId", () => import("@/routes/schedule"), "ScheduleRoute"),
  page("/compare", () => import("@/routes/compare"), "CompareRoute"),
  page("/artifacts", () => import("@/routes/artifacts"), "ArtifactsRoute"),
  page("/artifacts/$artifactId", artifactPage, "ArtifactRoute"),
  page("/artifacts/$artifactId/lineage", artifactPage, "ArtifactLineageRoute"),
  page("/executions", () => import("@/routes/executions"), "ExecutionsRoute"),
  page("/executions/$executionId", () => import("@/routes/executions"), "ExecutionRoute"),
  page("/system", () => import("@/routes/system"), "SystemRoute"),
  page("/settings", () => import("@/routes/settings"), "SettingsRoute"),
  moved("/frontend_features", () => ({ to: "/settings" })),
  page("/embed/runs/$runId", () => import("@/routes/run"), "EmbedRunRoute"),
];

export const router = createRouter({
  routeTree: root.addChildren(routes),
  history: createHashHistory(),
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  defaultPreloadDelay: 60,
  defaultErrorComponent: PageError,
  defaultNotFoundComponent: NotFound,
  trailingSlash: "never",
  notFoundMode: "root",
});
