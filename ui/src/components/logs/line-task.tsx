/** Which task wrote a line of the log of a run: its name in a colour of its own, which leads to the line in its log. */
import type { AnyLogLine } from "@/api/tasks";
import { Link } from "@/components/link";
import { runAddress } from "@/lib/addresses";
import { hueOf } from "@/lib/tasks";

/** The end of a path tells more than its begin. */
const SHOWN = 20;

export function LineTask({ run, line }: { run: string; line: AnyLogLine }) {
  const { path = "", attempt = 1, task_line = 0 } = line;
  const short = path.length > SHOWN ? `…${path.slice(1 - SHOWN)}` : path;
  const query = new URLSearchParams({
    tab: "logs",
    task: path,
    attempt: String(attempt),
    line: String(task_line),
  });
  return (
    <Link
      to={runAddress(run, query.toString())}
      tabIndex={-1}
      title={`${path}, attempt ${attempt}, line ${task_line + 1}`}
      className="mr-3 shrink-0 overflow-hidden whitespace-pre hover:underline"
      style={{ width: `${SHOWN}ch`, color: `var(--color-series-${hueOf(path)})` }}
    >
      {short}
    </Link>
  );
}
