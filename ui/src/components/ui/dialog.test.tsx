import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { Confirm, Dialog } from "./dialog";
import { Input } from "./field";
import { TipProvider } from "./tooltip";

afterEach(cleanup);
const nothing = () => undefined;

test("a dialog begins at its first field, else at itself, and never at the button that closes it", () => {
  const { rerender } = render(
    <TipProvider>
      <Dialog open onClose={nothing} title="Edit">
        <Input disabled aria-label="id" />
        <Input aria-label="name" />
      </Dialog>
    </TipProvider>,
  );
  expect(document.activeElement).toBe(screen.getByRole("textbox", { name: "name" }));
  rerender(
    <TipProvider>
      <Dialog key="other" open onClose={nothing} title="Keys">
        text
      </Dialog>
    </TipProvider>,
  );
  expect(document.activeElement).toBe(screen.getByRole("dialog"));
});

test("a question begins at its answer, or at what must be typed", () => {
  const question = { open: true, onClose: nothing, onConfirm: nothing, title: "Sure?", action: "Delete" };
  const { rerender } = render(
    <TipProvider>
      <Confirm {...question} />
    </TipProvider>,
  );
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Delete" }));
  rerender(
    <TipProvider>
      <Confirm key="typed" {...question} typed="3 runs" />
    </TipProvider>,
  );
  expect(document.activeElement).toBe(screen.getByRole("textbox"));
});
