/** Header and body that all pages share. */
import { ChevronRight } from "lucide-react";
import { Fragment, type ReactNode, useEffect } from "react";
import { Link } from "@/components/link";
import { cx } from "@/lib/class";

export interface Crumb {
  label: string;
  to: string;
}

interface HeaderProps {
  title: string;
  crumbs?: Crumb[];
  /** State and short facts beside the title. */
  aside?: ReactNode;
  actions?: ReactNode;
  below?: ReactNode;
}

export function PageHeader({ title, crumbs = [], aside, actions, below }: HeaderProps) {
  useEffect(() => {
    document.title = title ? `${title} · Ferroflow` : "Ferroflow";
  }, [title]);
  return (
    <header className="shrink-0 border-b border-line bg-canvas">
      <div className="flex min-h-14 flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2 md:px-6">
        <div className="flex min-w-0 flex-1 items-center gap-2 max-md:basis-full">
          {crumbs.length > 0 && (
            <nav
              aria-label="Breadcrumb"
              className="flex shrink-0 items-center gap-1 text-ink-3 max-md:hidden"
            >
              {crumbs.map((crumb) => (
                <Fragment key={crumb.to}>
                  <Link to={crumb.to} className="rounded-sm hover:text-ink">
                    {crumb.label}
                  </Link>
                  <ChevronRight size={14} aria-hidden />
                </Fragment>
              ))}
            </nav>
          )}
          <h1 className="truncate text-section font-semibold">{title || " "}</h1>
          {aside}
        </div>
        {actions && <div className="flex items-center gap-2">{actions}</div>}
      </div>
      {below}
    </header>
  );
}

export function PageBody({ children, narrow }: { children: ReactNode; narrow?: boolean }) {
  return (
    <div className="min-h-0 flex-1 overflow-auto" tabIndex={0} role="region" aria-label="Content">
      <div className={cx("mx-auto w-full px-4 py-5 md:px-6", narrow ? "max-w-240" : "max-w-420")}>
        {children}
      </div>
    </div>
  );
}

export interface TabLink {
  id: string;
  label: string;
  to: string;
  count?: number;
}

export function TabLinks({ tabs, active, label }: { tabs: TabLink[]; active: string; label: string }) {
  return (
    <nav aria-label={label} className="-mb-px flex gap-5 overflow-x-auto px-4 md:px-6">
      {tabs.map((tab) => (
        <Link
          key={tab.id}
          to={tab.to}
          replace
          aria-current={tab.id === active ? "page" : undefined}
          className={cx(
            "flex h-9 items-center gap-1.5 border-b-2 whitespace-nowrap",
            tab.id === active
              ? "border-accent font-medium text-ink"
              : "border-transparent text-ink-2 hover:text-ink",
          )}
        >
          {tab.label}
          {tab.count !== undefined && tab.count > 0 && (
            <span className="num text-label text-ink-3">{tab.count}</span>
          )}
        </Link>
      ))}
    </nav>
  );
}

export function Section({
  title,
  aside,
  children,
  className,
}: {
  title: string;
  aside?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    <section className={cx("card overflow-hidden", className)}>
      <div className="flex min-h-10 items-center gap-3 border-b border-line px-4 py-2">
        <h2 className="flex-1 font-medium">{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
