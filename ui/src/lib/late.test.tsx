import { act, cleanup, render, screen } from "@testing-library/react";
import { Suspense, useState } from "react";
import { afterEach, expect, test } from "vitest";
import { late } from "./late";

afterEach(cleanup);

function Counter({ name }: { name: string }) {
  const [count, setCount] = useState(0);
  return (
    <button type="button" onClick={() => setCount(count + 1)}>
      {name} {count}
    </button>
  );
}

const shown = (Part: typeof Counter) => (
  <Suspense fallback="waiting">
    <Part name="n" />
  </Suspense>
);

test("what was fetched before is shown without a fallback, and keeps its state", async () => {
  const Part = late(async () => ({ default: Counter }));
  await act(async () => Part.preload());
  const { rerender } = render(shown(Part));
  act(() => screen.getByText("n 0").click());
  rerender(shown(Part));
  screen.getByText("n 1");
});

test("what was not is waited for, and keeps its state", async () => {
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const Part = late(async () => {
    await arrived;
    return { default: Counter };
  });
  const { rerender } = render(shown(Part));
  screen.getByText("waiting");
  await act(async () => arrive());
  act(() => screen.getByText("n 0").click());
  rerender(shown(Part));
  expect(screen.getByText("n 1")).toBeTruthy();
});
