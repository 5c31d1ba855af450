/** The frame around every page: navigation, shortcuts, palette. Views made for embedding have none of it. */
import { Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { Menu as MenuIcon } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { Link, split } from "@/components/link";
import { IconButton } from "@/components/ui/button";
import { isFramedByOthers } from "@/lib/embed";
import { useShortcuts } from "@/lib/keys";
import { writePreference } from "@/lib/preferences";
import { KeyMap } from "./key-map";
import { Mark, Nav, PLACES } from "./nav";

const loadPalette = () => import("@/components/palette/palette");
const Palette = lazy(loadPalette);

export function Shell() {
  const embedded = useRouterState({ select: (state) => state.location.pathname.startsWith("/embed/") });
  if (!embedded && isFramedByOthers()) {
    return (
      <main className="flex h-full items-center justify-center">
        <a href={location.href} target="_blank" rel="noreferrer" className="link">
          Open Ferroflow in a window of its own
        </a>
      </main>
    );
  }
  return embedded ? (
    <main className="flex h-full flex-col bg-canvas">
      <Outlet />
    </main>
  ) : (
    <Framed />
  );
}

function Framed() {
  const navigate = useNavigate();
  const [palette, setPalette] = useState(false);
  const [keyMap, setKeyMap] = useState(false);
  const [drawer, setDrawer] = useState(false);
  const go = (address: string) => navigate(split(address) as never);
  useEffect(() => {
    // There before it is asked for: the first letters typed into it must not get lost.
    const timer = setTimeout(loadPalette, 1500);
    return () => clearTimeout(timer);
  }, []);
  useShortcuts([
    {
      keys: "mod+k",
      label: "Search and commands",
      group: "Everywhere",
      run: () => setPalette((open) => !open),
    },
    { keys: "?", label: "Show this list", group: "Everywhere", run: () => setKeyMap(true) },
    { keys: "t", label: "Light or dark theme", group: "Everywhere", run: toggleTheme },
    { keys: "n", label: "New run", group: "Everywhere", run: () => go("/runs/new") },
    ...PLACES.flatMap((place) =>
      place.keys ? [{ keys: place.keys, label: place.label, group: "Go to", run: () => go(place.to) }] : [],
    ),
    { keys: "g y", label: "System", group: "Go to", run: () => go("/system") },
  ]);
  return (
    <div className="flex h-full">
      <button
        type="button"
        onClick={() => document.getElementById("main")?.focus()}
        className="sr-only z-60 rounded-control bg-raised px-3 py-2 shadow-float focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to content
      </button>
      <div className="hidden md:block">
        <Nav onSearch={() => setPalette(true)} />
      </div>
      {drawer && (
        <div className="fixed inset-0 z-40 flex md:hidden">
          <Nav
            drawer
            onSearch={() => {
              setDrawer(false);
              setPalette(true);
            }}
            onGo={() => setDrawer(false)}
          />
          <button
            type="button"
            aria-label="Close navigation"
            className="flex-1 bg-scrim"
            onClick={() => setDrawer(false)}
          />
        </div>
      )}
      <div className="flex min-w-0 flex-1 flex-col">
        <div className="flex h-12 items-center gap-2 border-b border-line bg-sunken px-2 md:hidden">
          <IconButton label="Open navigation" onClick={() => setDrawer(true)}>
            <MenuIcon size={18} />
          </IconButton>
          <Link to="/" className="flex items-center gap-2 font-semibold">
            <Mark size={20} />
            Ferroflow
          </Link>
        </div>
        <main id="main" tabIndex={-1} className="flex min-h-0 flex-1 flex-col bg-canvas outline-none">
          <Outlet />
        </main>
      </div>
      {palette && (
        <Suspense>
          <Palette onClose={() => setPalette(false)} onKeyMap={() => setKeyMap(true)} />
        </Suspense>
      )}
      <KeyMap open={keyMap} onClose={() => setKeyMap(false)} />
    </div>
  );
}

export function toggleTheme(): void {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  writePreference("theme", (root.dataset.theme ?? system) === "dark" ? "light" : "dark");
}
