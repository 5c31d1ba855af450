/** Dialogs, and the question before something is lost. */
import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useState } from "react";
import { cx } from "@/lib/class";
import { Button, IconButton } from "./button";
import { Input } from "./field";

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: ReactNode;
  wide?: boolean;
  footer?: ReactNode;
  children?: ReactNode;
}

const FIELDS = ["input", "textarea", "select", "[role=combobox]", "[role=switch]"];

/** The first field, so that one may type at once; without fields the dialog itself, not the button that closes it. */
export function focusFirst(dialog: HTMLElement): void {
  const fields = [...dialog.querySelectorAll<HTMLElement>(FIELDS.join())];
  const first = fields.find(
    (field) => !field.matches(":disabled, [type=hidden], [type=file], [tabindex='-1'], [aria-hidden=true]"),
  );
  (first ?? dialog).focus();
}

export function Dialog({ open, onClose, title, description, wide, footer, children }: DialogProps) {
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-scrim" />
        <Radix.Content
          {...(!description && { "aria-describedby": undefined })}
          tabIndex={-1}
          onOpenAutoFocus={(event) => {
            event.preventDefault();
            focusFirst(event.currentTarget as HTMLElement);
          }}
          className={cx(
            "floating fixed top-[12vh] left-1/2 z-50 flex max-h-[76vh] w-[calc(100vw-32px)] -translate-x-1/2 flex-col rounded-dialog bg-raised shadow-float outline-none",
            wide ? "max-w-200" : "max-w-110",
          )}
        >
          <header className="flex items-start gap-3 px-5 pt-4 pb-3">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-section font-semibold">{title}</Radix.Title>
              {description && (
                <Radix.Description asChild>
                  <div className="mt-1 text-ink-2">{description}</div>
                </Radix.Description>
              )}
            </div>
            <Radix.Close asChild>
              <IconButton label="Close" small>
                <X size={16} />
              </IconButton>
            </Radix.Close>
          </header>
          {children && <div className="min-h-0 flex-1 overflow-auto px-5 pb-4">{children}</div>}
          {footer && (
            <footer className="flex justify-end gap-2 border-t border-line px-5 py-3">{footer}</footer>
          )}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface ConfirmProps {
  open: boolean;
  onClose: () => void;
  onConfirm: () => void;
  title: string;
  action: string;
  /** Text that must be typed first. */
  typed?: string;
  danger?: boolean;
  children?: ReactNode;
}

export function Confirm({
  open,
  onClose,
  onConfirm,
  title,
  action,
  typed,
  danger = true,
  children,
}: ConfirmProps) {
  const [text, setText] = useState("");
  const ready = !typed || text === typed;
  const confirm = () => {
    if (!ready) return;
    onConfirm();
    onClose();
  };
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={title}
      description={children}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone={danger ? "danger" : "primary"} disabled={!ready} onClick={confirm} autoFocus={!typed}>
            {action}
          </Button>
        </>
      }
    >
      {typed && (
        <label className="block text-label text-ink-2">
          Type <strong className="text-ink">{typed}</strong> to go on
          <Input
            className="mt-1.5 w-full"
            value={text}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={(event) => event.key === "Enter" && confirm()}
          />
        </label>
      )}
    </Dialog>
  );
}
