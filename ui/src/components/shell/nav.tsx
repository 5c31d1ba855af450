/** The left side: where one can go, what one can search, whether the page is live. */
import { useRouterState } from "@tanstack/react-router";
import {
  Activity,
  Box,
  CalendarClock,
  FlaskConical,
  Gauge,
  House,
  Moon,
  PanelLeft,
  Search,
  Settings,
  Sun,
  Workflow,
} from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "@/components/link";
import { IconButton } from "@/components/ui/button";
import { Kbd, Tip } from "@/components/ui/tooltip";
import { cx } from "@/lib/class";
import { useLiveness } from "@/lib/live";
import { usePreference } from "@/lib/preferences";

interface Place {
  to: string;
  label: string;
  icon: ReactNode;
  keys?: string;
  /** Further prefixes of addresses that belong here. */
  also?: string[];
}

export const PLACES: Place[] = [
  { to: "/", label: "Home", icon: <House size={16} />, keys: "g h" },
  {
    to: "/runs",
    label: "Runs",
    icon: <Activity size={16} />,
    keys: "g r",
    also: ["/archive/runs", "/compare"],
  },
  {
    to: "/pipelines",
    label: "Pipelines",
    icon: <Workflow size={16} />,
    keys: "g p",
    also: ["/pipeline_versions"],
  },
  {
    to: "/experiments",
    label: "Experiments",
    icon: <FlaskConical size={16} />,
    keys: "g e",
    also: ["/archive/experiments"],
  },
  {
    to: "/recurringruns",
    label: "Schedules",
    icon: <CalendarClock size={16} />,
    keys: "g s",
    also: ["/recurringrun/"],
  },
  { to: "/artifacts", label: "Artifacts", icon: <Box size={16} />, keys: "g a", also: ["/executions"] },
];

const BELOW: Place[] = [
  { to: "/system", label: "System", icon: <Gauge size={16} />, keys: "g y" },
  { to: "/settings", label: "Settings", icon: <Settings size={16} /> },
];

export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden className="shrink-0">
      <rect width="24" height="24" rx="6" fill="#3450C8" />
      <g fill="none" stroke="#fff" strokeWidth="1.8" strokeLinecap="round">
        <path d="M8 7.5v9M8 7.5h3.2c2.4 0 1.6 9 4 9h.8" />
      </g>
      <circle cx="8" cy="7.5" r="2.1" fill="#fff" />
      <circle cx="8" cy="16.5" r="2.1" fill="#fff" />
      <circle cx="16.2" cy="16.5" r="2.1" fill="#fff" />
    </svg>
  );
}

export function Nav({
  onSearch,
  drawer,
  onGo,
}: {
  onSearch: () => void;
  drawer?: boolean;
  onGo?: () => void;
}) {
  const [stored, setStored] = usePreference("nav", "open");
  const collapsed = !drawer && stored === "closed";
  const path = useRouterState({ select: (state) => state.location.pathname });
  return (
    <nav
      aria-label="Main"
      className={cx(
        "flex h-full shrink-0 flex-col border-r border-line bg-sunken p-2",
        collapsed ? "w-14" : "w-54",
      )}
    >
      <div className={cx("mb-2 flex h-10 items-center gap-2.5", collapsed ? "justify-center" : "px-2")}>
        <Link to="/" aria-label="Ferroflow, home" className="flex items-center gap-2.5" onClick={onGo}>
          <Mark />
          {!collapsed && <span className="text-section font-semibold tracking-tight">Ferroflow</span>}
        </Link>
      </div>
      <Tip text="Search and commands" keys="⌘K" side="right">
        <button
          type="button"
          onClick={onSearch}
          aria-label={collapsed ? "Search and commands" : undefined}
          className={cx(
            "mb-3 flex h-8 items-center gap-2.5 rounded-control border border-line bg-surface text-ink-3 hover:text-ink-2",
            collapsed ? "justify-center" : "px-2",
          )}
        >
          <Search size={15} />
          {!collapsed && (
            <>
              <span className="flex-1 text-left">Search</span>
              <Kbd>⌘K</Kbd>
            </>
          )}
        </button>
      </Tip>
      <ul className="flex flex-col gap-0.5">
        {PLACES.map((place) => (
          <NavItem key={place.to} place={place} path={path} collapsed={collapsed} onGo={onGo} />
        ))}
      </ul>
      <div className="mx-2 my-3 h-px bg-line" />
      <ul className="flex flex-col gap-0.5">
        {BELOW.map((place) => (
          <NavItem key={place.to} place={place} path={path} collapsed={collapsed} onGo={onGo} />
        ))}
      </ul>
      <div className="flex-1" />
      <div className={cx("flex items-center gap-0.5", collapsed && "flex-col-reverse")}>
        <LiveIndicator collapsed={collapsed} />
        <div className="flex-1" />
        <ThemeButton />
        {!drawer && (
          <IconButton
            label={collapsed ? "Widen the side bar" : "Narrow the side bar"}
            onClick={() => setStored(collapsed ? "open" : "closed")}
          >
            <PanelLeft size={16} />
          </IconButton>
        )}
      </div>
    </nav>
  );
}

function NavItem({
  place,
  path,
  collapsed,
  onGo,
}: {
  place: Place;
  path: string;
  collapsed: boolean;
  onGo?: () => void;
}) {
  const inside = [place.to, ...(place.also ?? [])].some((prefix) => path.startsWith(prefix));
  const active = place.to === "/" ? path === "/" : inside;
  const link = (
    <Link
      to={place.to}
      aria-label={collapsed ? place.label : undefined}
      aria-current={active ? "page" : undefined}
      onClick={onGo}
      className={cx(
        "flex h-8 items-center gap-2.5 rounded-control transition-colors duration-100",
        collapsed ? "justify-center" : "px-2",
        active ? "bg-accent-tint font-medium text-accent" : "text-ink-2 hover:bg-hover hover:text-ink",
      )}
    >
      {place.icon}
      {!collapsed && place.label}
    </Link>
  );
  return (
    <li>
      {collapsed ? (
        <Tip text={place.label} keys={place.keys} side="right">
          {link}
        </Tip>
      ) : (
        link
      )}
    </li>
  );
}

const LIVE_WORDS = { live: "Live", reconnecting: "Reconnecting", stale: "Out of date" } as const;
const LIVE_COLORS = { live: "bg-succeeded", reconnecting: "bg-retrying", stale: "bg-failed" } as const;

function LiveIndicator({ collapsed }: { collapsed: boolean }) {
  const liveness = useLiveness();
  return (
    <div
      role="status"
      className={cx("flex items-center gap-2 px-2 text-label text-ink-2", collapsed && "h-8")}
      aria-label={LIVE_WORDS[liveness]}
    >
      <span className={cx("size-2 rounded-full", LIVE_COLORS[liveness])} />
      {!collapsed && LIVE_WORDS[liveness]}
    </div>
  );
}

function ThemeButton() {
  const [theme, setTheme] = usePreference("theme", "system");
  const dark = theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  return (
    <IconButton
      label={dark ? "Light theme" : "Dark theme"}
      hint="t"
      onClick={() => setTheme(dark ? "light" : "dark")}
    >
      {dark ? <Sun size={16} /> : <Moon size={16} />}
    </IconButton>
  );
}
