import { expect, test } from "vitest";
import { cronWords, intervalWords, nextFires, parseCron } from "./cron";

test("words", () => {
  const rows: [string, string][] = [
    ["0 30 6 * * 1-5", "At 06:30 on Monday to Friday (UTC)"],
    ["0 30 6 * *", "At 06:30 every day (UTC)"],
    ["CRON_TZ=Europe/Berlin 0 30 6 * * ?", "At 06:30 every day (Europe/Berlin)"],
    ["@every 1h30m", "Every 90 minutes"],
    ["0 0 0 * * *", "At 00:00 every day (UTC)"],
    ["@daily", "At 00:00 every day (UTC)"],
    ["0 */15 * * * *", "Every 15 minutes (UTC)"],
    ["0 * * * * *", "Every minute (UTC)"],
    ["0 5 * * * *", "Every hour at minute 5 (UTC)"],
    ["0 0 */6 * * *", "Every 6 hours at minute 0 (UTC)"],
    ["0 0 9 1 * *", "At 09:00 on the 1st of each month (UTC)"],
    ["0 0 9 * jan,jul mon", "At 09:00 on Monday in January and July (UTC)"],
    ["0 0 8,20 * * sat,sun", "At 08:00 and 20:00 on Saturday and Sunday (UTC)"],
    ["*/10 * * * * *", "Every 10 seconds (UTC)"],
  ];
  for (const [expression, words] of rows) expect(cronWords(parseCron(expression)), expression).toBe(words);
});

test("next fires", () => {
  const iso = (expression: string, after: string, count: number) =>
    nextFires(parseCron(expression), Date.parse(after), count).map((at) =>
      new Date(at).toISOString().slice(0, 19),
    );
  const rows: [string, string, string[]][] = [
    ["0 0 12 * * *", "2026-03-01T12:00:00Z", ["2026-03-02T12:00:00", "2026-03-03T12:00:00"]],
    ["0 0 12 * * *", "2026-03-01T11:59:59.5Z", ["2026-03-01T12:00:00"]],
    ["0 0 0 29 2 *", "2026-01-01T00:00:00Z", ["2028-02-29T00:00:00"]],
    ["0 0 0 31 * *", "2026-04-01T00:00:00Z", ["2026-05-31T00:00:00", "2026-07-31T00:00:00"]],
    ["0 0 0 13 * fri", "2026-02-01T00:00:00Z", ["2026-02-06T00:00:00", "2026-02-13T00:00:00"]],
    ["0 0 0 * * sun", "2026-11-25T00:00:00Z", ["2026-11-29T00:00:00"]],
    ["@every 90s", "2026-11-25T00:00:00Z", ["2026-11-25T00:01:30", "2026-11-25T00:03:00"]],
    // Clocks in Berlin skip from 02:00 to 03:00 on 29 March 2026 and show 02:30 twice on 25 October.
    [
      "CRON_TZ=Europe/Berlin 0 30 2 * * ?",
      "2026-03-28T00:00:00Z",
      ["2026-03-28T01:30:00", "2026-03-30T00:30:00"],
    ],
    [
      "CRON_TZ=Europe/Berlin 0 30 2 * * ?",
      "2026-10-24T12:00:00Z",
      ["2026-10-25T00:30:00", "2026-10-25T01:30:00", "2026-10-26T01:30:00"],
    ],
  ];
  for (const [expression, after, expected] of rows)
    expect(iso(expression, after, expected.length), expression).toEqual(expected);
});

test("nonsense is refused in words", () => {
  for (const expression of [
    "",
    "* * *",
    "61 * * * * *",
    "a * * * * *",
    "0 0 25 * * *",
    "0 */0 * * * *",
    "0 0 0 0 * *",
    "0 0 0 * * 7",
    "@every soon",
    "CRON_TZ=Moon/Base 0 0 0 * * *",
  ]) {
    expect(() => parseCron(expression), expression).toThrow();
  }
});

test("intervals", () => {
  expect(intervalWords(3600)).toBe("Every hour");
  expect(intervalWords(7200)).toBe("Every 2 hours");
  expect(intervalWords(5400)).toBe("Every 90 minutes");
  expect(intervalWords(61)).toBe("Every 61 seconds");
});
