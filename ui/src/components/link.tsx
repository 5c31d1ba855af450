/** Links inside the page. Addresses are plain texts such as `/runs/details/<id>?tab=logs`. */
import { Link as RouterLink } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, ReactNode, Ref } from "react";
import { isEmbedded } from "@/lib/embed";
import { parseSearch, type Search } from "@/lib/search";

interface LinkProps extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "href"> {
  to: string;
  children?: ReactNode;
  replace?: boolean;
  ref?: Ref<HTMLAnchorElement>;
}

export function split(address: string): { to: string; search: Search } {
  const at = address.indexOf("?");
  return at < 0
    ? { to: address, search: {} }
    : { to: address.slice(0, at), search: parseSearch(address.slice(at + 1)) };
}

export function Link({ to, children, ...rest }: LinkProps) {
  const target = split(to);
  // A frame shows its own view only; everything else opens beside it.
  const leaves = isEmbedded() && !target.to.startsWith("/embed/");
  return (
    <RouterLink
      {...rest}
      {...(leaves && { target: "_blank", rel: "noreferrer" })}
      to={target.to as never}
      search={target.search as never}
    >
      {children}
    </RouterLink>
  );
}

/** A quiet link inside tables and facts. */
export function TextLink({ to, children }: { to: string; children: ReactNode }) {
  return (
    <Link
      to={to}
      className="text-ink underline decoration-line-strong/40 underline-offset-3 hover:decoration-accent hover:text-accent"
    >
      {children}
    </Link>
  );
}
