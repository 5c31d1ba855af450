/** Buttons: one primary per page, quiet ones elsewhere; icon buttons carry their name as a tooltip. */
import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { cx } from "@/lib/class";
import { Tip } from "./tooltip";

export type Tone = "primary" | "plain" | "ghost" | "danger";

const TONES: Record<Tone, string> = {
  primary: "bg-accent text-on-accent hover:brightness-110 active:brightness-95 border-transparent",
  plain: "bg-surface text-ink border-line hover:bg-hover",
  ghost: "bg-transparent text-ink-2 border-transparent hover:bg-hover hover:text-ink",
  danger: "bg-failed text-on-accent border-transparent hover:brightness-110 active:brightness-95",
};

export function buttonClass(tone: Tone = "plain", small = false): string {
  return cx(
    "inline-flex shrink-0 items-center justify-center gap-1.5 rounded-control border font-medium whitespace-nowrap select-none",
    "transition-colors duration-100 disabled:opacity-50",
    small ? "h-7 px-2.5 text-label" : "h-8 px-3 text-body",
    TONES[tone],
  );
}

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  tone?: Tone;
  small?: boolean;
  icon?: ReactNode;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ tone, small, icon, className, children, ...rest }: ButtonProps) {
  return (
    <button type="button" className={cx(buttonClass(tone, small), className)} {...rest}>
      {icon}
      {children}
    </button>
  );
}

export interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  label: string;
  hint?: string;
  pressed?: boolean;
  small?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function IconButton({ label, hint, pressed, small, className, children, ...rest }: IconButtonProps) {
  return (
    <Tip text={label} keys={hint}>
      <button
        type="button"
        aria-label={label}
        aria-pressed={pressed}
        className={cx(
          "inline-flex shrink-0 items-center justify-center rounded-control text-ink-2 transition-colors duration-100",
          "hover:bg-hover hover:text-ink disabled:opacity-40 disabled:hover:bg-transparent",
          small ? "size-6" : "size-8",
          pressed && "bg-accent-tint text-accent hover:bg-accent-tint hover:text-accent",
          className,
        )}
        {...rest}
      >
        {children}
      </button>
    </Tip>
  );
}
