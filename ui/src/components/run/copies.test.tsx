import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { Copies } from "./copies";

afterEach(cleanup);

test("each copy says what moves and how far it is", () => {
  render(
    <Copies
      copies={[
        { path: "train", is_output: true, copied_bytes: 1_500_000, known_bytes: 4_000_000 },
        { path: "use", is_output: false, copied_bytes: 0, known_bytes: 10 },
      ]}
    />,
  );
  const [first, second] = screen.getAllByRole("listitem");
  expect(first?.textContent).toBe("Storing what train has made1.5 MB of 4.0 MB");
  expect(second?.textContent).toBe("Fetching what use needs0 B of 10 B");
  expect(screen.getByRole("progressbar", { name: "1.5 MB of 4.0 MB" })).toBeTruthy();
});

test("nothing is shown where nothing moves", () => {
  render(<Copies copies={[]} />);
  expect(screen.queryAllByRole("listitem")).toEqual([]);
});
