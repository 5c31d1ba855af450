import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import Markdown from "./markdown";

afterEach(cleanup);

test("common constructs become elements", () => {
  render(
    <Markdown
      text={"# Report\n\nSome **bold** and `code`.\n\n- one\n- two\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n"}
    />,
  );
  expect(screen.getByRole("heading", { name: "Report" })).toBeTruthy();
  expect(screen.getByText("bold").tagName).toBe("STRONG");
  expect(screen.getAllByRole("listitem")).toHaveLength(2);
  expect(screen.getByRole("cell", { name: "2" })).toBeTruthy();
});

test("nothing in it runs: HTML stays text, addresses that are no pages lose their link", () => {
  render(
    <Markdown
      text={'<img src=x onerror="alert(1)"> [bad](javascript:alert(1)) [good](https://example.org/a)'}
    />,
  );
  expect(document.querySelector("img")).toBeNull();
  expect(screen.getAllByRole("link").map((link) => link.getAttribute("href"))).toEqual([
    "https://example.org/a",
  ]);
});

test("odd input ends", () => {
  for (const text of ["#", "#######", "```", "|", "| a |\n|-", ">", "- ", "1.", "**", "[]()", "\n\n"]) {
    render(<Markdown text={text} />);
    cleanup();
  }
});
