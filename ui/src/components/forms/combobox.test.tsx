import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { Combobox } from "./combobox";

afterEach(cleanup);

const choices = [
  { id: "1", label: "alpha" },
  { id: "2", label: "beta" },
  { id: "3", label: "gamma" },
];

test("chosen by keys, filtered by letters, created when missing", () => {
  const onChoose = vi.fn();
  const create = { label: (text: string) => `Create “${text}”`, run: vi.fn() };
  render(
    <Combobox
      value={undefined}
      shown=""
      placeholder="Choose"
      choices={choices}
      onChoose={onChoose}
      create={create}
    />,
  );
  fireEvent.click(screen.getByRole("button", { name: "Choose" }));
  const field = screen.getByRole("combobox");
  fireEvent.keyDown(field, { key: "ArrowDown" });
  fireEvent.keyDown(field, { key: "Enter" });
  expect(onChoose).toHaveBeenCalledWith(choices[1]);

  fireEvent.click(screen.getByRole("button", { name: "Choose" }));
  fireEvent.change(screen.getByRole("combobox"), { target: { value: "delta" } });
  expect(screen.getAllByRole("option").map((option) => option.textContent)).toEqual(["Create “delta”"]);
  fireEvent.keyDown(screen.getByRole("combobox"), { key: "Enter" });
  expect(create.run).toHaveBeenCalledWith("delta");
});
